import type { StripeBooks } from './stripe-books.ts';
import { list, newestFirst, renderLine, renderStored, type StripeObject } from './stripe-objects.ts';
import { wrongParameter } from './stripe-refusal.ts';

/** What an object does not show by itself, and shows when it is asked to. */
const includable: Record<string, Record<string, (books: StripeBooks, id: string) => unknown>> = {
  'checkout.session': {
    line_items: (books, id) =>
      list(
        books.sessions.get(id)?.lines.map((line) => renderLine(books, id, line)) ?? [],
        `/v1/checkout/sessions/${id}/line_items`,
      ),
  },
  charge: {
    refunds: (books, id) =>
      list(
        newestFirst(books.refunds.values())
          .filter((refund) => refund.chargeId === id)
          .map((refund) => renderStored(books, refund.id)),
        `/v1/charges/${id}/refunds`,
      ),
  },
};

/** Puts objects in the place of their ids, along `payment_intent.latest_charge`. */
export function expandAll(books: StripeBooks, object: StripeObject, paths: readonly string[]): StripeObject {
  for (const path of paths) expandPath(books, object, path.split('.'), path);
  return object;
}

function expandPath(books: StripeBooks, value: unknown, [name, ...rest]: string[], whole: string): void {
  if (name === undefined || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) expandPath(books, item, [name, ...rest], whole);
    return;
  }
  if (typeof value !== 'object') throw cannotExpand(whole);
  const holder = value as StripeObject; // what was rendered here is made of plain objects
  const include = includable[String(holder.object)]?.[name];
  if (include && holder[name] === undefined) holder[name] = include(books, String(holder.id));
  const found = holder[name];
  if (found === undefined) throw cannotExpand(whole);
  if (typeof found === 'string') {
    const object = renderStored(books, found);
    if (!object) throw cannotExpand(whole);
    holder[name] = object;
  }
  if (rest.length > 0) expandPath(books, holder[name], rest, whole);
}

function cannotExpand(path: string) {
  return wrongParameter(undefined, 'expand', `This property cannot be expanded (${path}).`);
}

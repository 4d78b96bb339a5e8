import type { StripeBooks } from './stripe-books.ts';
import { expandAll } from './stripe-expand.ts';
import { list, renderStored, type StripeObject } from './stripe-objects.ts';
import type { PageParameters } from './stripe-parameters.ts';
import { missing } from './stripe-refusal.ts';

interface Listed {
  id: string;
  createdMs: number;
}

/** One page of objects that are given newest first, as Stripe lists everything. */
export function listPage(
  books: StripeBooks,
  url: string,
  items: readonly Listed[],
  wanted: PageParameters,
  render: (id: string) => StripeObject | null = (id) => renderStored(books, id),
): StripeObject {
  const inTime = items.filter(({ createdMs }) => isWithin(secondsOnWire(books, createdMs), wanted.created));
  const { page, hasMore } = cut(inTime, wanted);
  const answer = list(
    page.map(({ id }) => render(id)),
    url,
    hasMore,
  );
  return expandAll(books, answer, wanted.expand);
}

function cut(items: readonly Listed[], { limit, starting_after: after, ending_before: before }: PageParameters) {
  if (before !== undefined) {
    // the page that ends just before it, which is that of the next newer ones
    const newer = items.slice(0, placeOf(items, before, 'ending_before'));
    return { page: newer.slice(-limit), hasMore: newer.length > limit };
  }
  const older = after === undefined ? items : items.slice(placeOf(items, after, 'starting_after') + 1);
  return { page: older.slice(0, limit), hasMore: older.length > limit };
}

function placeOf(items: readonly Listed[], id: string, param: string): number {
  const place = items.findIndex((item) => item.id === id);
  if (place === -1) throw missing('object', id, param);
  return place;
}

function isWithin(seconds: number, wanted: PageParameters['created']): boolean {
  if (wanted === undefined) return true;
  if (typeof wanted === 'number') return seconds === wanted;
  return (
    seconds > (wanted.gt ?? -1) &&
    seconds >= (wanted.gte ?? 0) &&
    seconds < (wanted.lt ?? Number.POSITIVE_INFINITY) &&
    seconds <= (wanted.lte ?? Number.POSITIVE_INFINITY)
  );
}

function secondsOnWire(books: StripeBooks, ms: number): number {
  return Math.floor(+books.context.clock.toWire(ms) / 1000);
}

import type { z } from 'zod';
import type { KeptEvent } from '../webhook-sender.ts';
import { type Cause, orderNumberOf, type StripeBooks, stripeVersion } from './stripe-books.ts';
import { listPage } from './stripe-lists.ts';
import { newestFirst, renderStored, type StripeObject } from './stripe-objects.ts';
import type { eventListParameters } from './stripe-parameters.ts';
import type { ChargeRecord, IntentRecord, RefundRecord, SessionRecord } from './stripe-records.ts';
import { wrongParameter } from './stripe-refusal.ts';

const keptForMs = 30 * 24 * 3600 * 1000;

/** Sends an event with the object as it is at this moment. */
export function announce(
  books: StripeBooks,
  type: string,
  object: SessionRecord | IntentRecord | ChargeRecord | RefundRecord,
  cause: Cause,
): void {
  const { ids, clock, webhooks } = books.context;
  const id = ids.next('evt_', 24);
  const event = {
    id,
    object: 'event',
    api_version: stripeVersion,
    created: Math.floor(+clock.toWire(books.nowMs) / 1000),
    data: { object: renderStored(books, object.id) },
    livemode: false,
    pending_webhooks: 1,
    request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
    type,
  };
  const orderNumber = orderNumberOf(books.metadataOf(object));
  webhooks.send({ id, provider: 'stripe', type, orderNumber, body: JSON.stringify(event, null, 2) });
}

export function listEvents(
  books: StripeBooks,
  url: string,
  wanted: z.output<typeof eventListParameters>,
): StripeObject {
  if (wanted.type !== undefined && wanted.types !== undefined)
    throw wrongParameter('parameter_invalid', 'types', 'You may pass either `type` or `types`, but not both.');
  const types = wanted.type === undefined ? wanted.types : [wanted.type];
  const events = newestFirst(eventsOf(books)).filter(
    (event) =>
      isKept(books, event) &&
      (types === undefined || types.some((type) => fits(type, event.type))) &&
      // one that is still on its way counts as not delivered
      (wanted.delivery_success === undefined || wanted.delivery_success === (event.state === 'delivered')),
  );
  return listPage(books, url, events, wanted, (id) => renderEvent(books, id));
}

/** With the object as it was then, whatever became of it. */
export function renderEvent(books: StripeBooks, id: string): StripeObject | null {
  const event = eventsOf(books).find((each) => each.id === id && isKept(books, each));
  if (!event) return null;
  const created = Math.floor(+books.context.clock.toWire(event.createdAtMs) / 1000);
  return { ...JSON.parse(event.body), created, pending_webhooks: event.state === 'delivered' ? 0 : 1 };
}

function eventsOf(books: StripeBooks): (KeptEvent & { createdMs: number })[] {
  return books.context.webhooks.events('stripe').map((event) => ({ ...event, createdMs: event.createdAtMs }));
}

function isKept(books: StripeBooks, event: KeptEvent): boolean {
  return event.createdAtMs > books.nowMs - keptForMs;
}

function fits(pattern: string, type: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

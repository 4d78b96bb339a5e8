import type { FastifyInstance } from 'fastify';
import type { SandboxKeys } from '../sandbox-keys.ts';
import type { StripeBooks } from './stripe-books.ts';
import { createSession, expireSession, findSession, getSession } from './stripe-checkouts.ts';
import { listEvents, renderEvent } from './stripe-events.ts';
import { StripeExchange } from './stripe-exchange.ts';
import { listPage } from './stripe-lists.ts';
import { newestFirst } from './stripe-objects.ts';
import * as parameters from './stripe-parameters.ts';
import { cancelIntent, captureIntent, findIntent, getIntent, refundCharge } from './stripe-payments.ts';
import { missing } from './stripe-refusal.ts';

/** Stripe's paths, as far as an order is paid by them. */
export function stripeRoutes(app: FastifyInstance, books: StripeBooks, keys: SandboxKeys): void {
  const { get, post } = new StripeExchange(app, books, keys.stripeSecretKey);

  post('/v1/checkout/sessions', 'checkout.create', ({ read }) => {
    const wanted = read(parameters.sessionParameters);
    return { id: createSession(books, wanted).id, expand: wanted.expand };
  });
  get('/v1/checkout/sessions', 'checkout.read', ({ read, url }) => {
    const wanted = read(parameters.sessionListParameters);
    for (const { id } of books.sessions.values()) findSession(books, id);
    const sessions = newestFirst(books.sessions.values()).filter(
      ({ intentId, status }) =>
        (wanted.payment_intent ?? intentId) === intentId && (wanted.status ?? status) === status,
    );
    return listPage(books, url, sessions, wanted);
  });
  get('/v1/checkout/sessions/:id', 'checkout.read', ({ id, read }) => {
    const { expand } = read(parameters.expandParameters);
    const session = getSession(books, id);
    if (session.intentId !== null) findIntent(books, session.intentId); // its hold may have ended
    return { id, expand };
  });
  post('/v1/checkout/sessions/:id/expire', 'checkout.expire', ({ id, read, cause }) => {
    const { expand } = read(parameters.expandParameters);
    return { id: expireSession(books, id, cause).id, expand };
  });

  get('/v1/payment_intents', 'read', ({ read, url }) => {
    const wanted = read(parameters.intentListParameters);
    return listPage(books, url, newestFirst(books.intents.values()), wanted);
  });
  get('/v1/payment_intents/:id', 'read', ({ id, read }) => {
    const { expand } = read(parameters.expandParameters);
    return { id: getIntent(books, id).id, expand };
  });
  post('/v1/payment_intents/:id/capture', 'capture', ({ id, read, cause }) => {
    const wanted = read(parameters.captureParameters);
    return { id: captureIntent(books, id, wanted, cause).id, expand: wanted.expand };
  });
  post('/v1/payment_intents/:id/cancel', 'void', ({ id, read, cause }) => {
    const wanted = read(parameters.cancelParameters);
    return { id: cancelIntent(books, id, wanted.cancellation_reason ?? null, cause).id, expand: wanted.expand };
  });

  post('/v1/refunds', 'refund', ({ read, cause }) => {
    const wanted = read(parameters.refundParameters);
    return { id: refundCharge(books, wanted, cause).id, expand: wanted.expand };
  });
  get('/v1/refunds', 'read', ({ read, url }) => {
    const wanted = read(parameters.refundListParameters);
    const refunds = newestFirst(books.refunds.values()).filter(
      ({ intentId, chargeId }) =>
        (wanted.payment_intent ?? intentId) === intentId && (wanted.charge ?? chargeId) === chargeId,
    );
    return listPage(books, url, refunds, wanted);
  });
  get('/v1/refunds/:id', 'read', ({ id, read }) => {
    const { expand } = read(parameters.expandParameters);
    if (!books.refunds.get(id)) throw missing('refund', id);
    return { id, expand };
  });

  get('/v1/charges', 'read', ({ read, url }) => {
    const wanted = read(parameters.chargeListParameters);
    const charges = newestFirst(books.charges.values()).filter(
      ({ intentId }) => (wanted.payment_intent ?? intentId) === intentId,
    );
    return listPage(books, url, charges, wanted);
  });
  get('/v1/charges/:id', 'read', ({ id, read }) => {
    const { expand } = read(parameters.expandParameters);
    const charge = books.charges.get(id);
    if (!charge) throw missing('charge', id);
    findIntent(books, charge.intentId);
    return { id, expand };
  });

  get('/v1/balance_transactions', 'read', ({ read, url }) => {
    const wanted = read(parameters.movementListParameters);
    const movements = newestFirst(books.movements.values()).filter(
      ({ type, currency, sourceId }) =>
        (wanted.type ?? type) === type &&
        (wanted.currency ?? currency) === currency &&
        (wanted.source ?? sourceId) === sourceId,
    );
    return listPage(books, url, movements, wanted);
  });
  get('/v1/balance_transactions/:id', 'read', ({ id, read }) => {
    const { expand } = read(parameters.expandParameters);
    if (!books.movements.get(id)) throw missing('balance transaction', id);
    return { id, expand };
  });

  get('/v1/events', 'events.list', ({ read, url }) => listEvents(books, url, read(parameters.eventListParameters)));
  get('/v1/events/:id', 'events.list', ({ id, read }) => {
    read(parameters.expandParameters);
    const event = renderEvent(books, id);
    if (!event) throw missing('event', id);
    return event;
  });
}

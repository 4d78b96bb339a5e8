import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from '../payment-sandbox.ts';
import { openStripeShop, type StripeShop } from './stripe-shop.ts';

let sandbox: PaymentSandbox;
let shop: StripeShop;
let hasty: StripeShop;
beforeAll(async () => {
  sandbox = await startPaymentSandbox({ seed: 'stripe faults' });
  shop = openStripeShop(sandbox);
  hasty = openStripeShop(sandbox, { timeoutMs: 150 });
});
afterEach(() => sandbox.faults.clear());
afterAll(() => sandbox.close());

const capturesOf = (intent: { metadata: Record<string, string> }) =>
  sandbox.ledger.entries({ paymentId: intent.metadata.paymentId ?? '', kind: 'captured' }).length;
const capture = (by: StripeShop, id: string, key = `capture ${id}`, amount = 1250) =>
  by.stripe.paymentIntents.capture(id, { amount_to_capture: amount }, { idempotencyKey: key });

describe('a key', () => {
  it('replays status and body, and says so', async () => {
    const intent = await shop.hold();
    const first = await capture(shop, intent.id);
    const again = await capture(shop, intent.id);
    expect(again).toEqual(first);
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(again.lastResponse.headers['original-request']).toBe(first.lastResponse.requestId);
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined();
    expect(capturesOf(intent)).toBe(1);
  });

  it('replays a refusal, too, though it would be granted by now', async () => {
    const { id } = await shop.checkout();
    sandbox.decline(id);
    const intent = await shop.intentOf(id);
    await expect(capture(shop, intent.id)).rejects.toMatchObject({ code: 'payment_intent_unexpected_state' });
    sandbox.pay(id);
    await expect(capture(shop, intent.id)).rejects.toMatchObject({ code: 'payment_intent_unexpected_state' });
    expect(await capture(shop, intent.id, 'another key')).toMatchObject({ status: 'succeeded' });
  });

  it('is refused with other parameters, or for something else', async () => {
    const intent = await shop.hold();
    await capture(shop, intent.id, 'one use', 1000);
    await expect(capture(shop, intent.id, 'one use', 1250)).rejects.toMatchObject({
      type: 'StripeIdempotencyError',
      statusCode: 400,
    });
    await expect(
      shop.stripe.refunds.create({ payment_intent: intent.id }, { idempotencyKey: 'one use' }),
    ).rejects.toMatchObject({ type: 'StripeIdempotencyError' });
  });

  it('is in use while its first request runs', async () => {
    const intent = await shop.hold();
    const orderNumber = Number(intent.metadata.orderNumber);
    sandbox.faults.add({ operation: 'capture', kind: 'slow', delayMs: 400, orderNumber });
    const first = capture(shop, intent.id);
    while (capturesOf(intent) === 0) await shop.stripe.charges.list({ limit: 1 }); // its effect is there, its answer is not
    await expect(capture(shop, intent.id)).rejects.toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
    expect((await first).status).toBe('succeeded');
    expect(await capture(shop, intent.id)).toMatchObject({ status: 'succeeded' });
  });

  it('replays what was said then, whatever became of the object', async () => {
    const intent = await shop.hold();
    const key = { idempotencyKey: `capture ${intent.id}` };
    const first = await shop.stripe.paymentIntents.capture(intent.id, { metadata: { note: 'first' } }, key);
    await shop.stripe.refunds.create({ payment_intent: intent.id, metadata: { note: 'second' } });
    expect(await shop.stripe.paymentIntents.capture(intent.id, { metadata: { note: 'first' } }, key)).toEqual(first);
  });

  it('is forgotten after a day', async () => {
    const { id } = await shop.checkout({ orderNumber: 5, idempotencyKey: 'a day' });
    sandbox.clock.advance(24 * 3600_000 + 1);
    const later = await shop.checkout({ orderNumber: 5, idempotencyKey: 'a day' });
    expect(later.id).not.toBe(id);
  });

  it('does not stick to what was never begun', async () => {
    await expect(shop.checkout({ expiresInS: 60, idempotencyKey: 'tried twice' })).rejects.toThrow();
    expect(await shop.checkout({ idempotencyKey: 'tried twice' })).toMatchObject({ status: 'open' });
  });
});

describe('a fault', () => {
  it.each([
    ['unavailable', 503, 'api_error'],
    ['rate_limited', 429, 'invalid_request_error'],
    ['conflict', 409, 'idempotency_error'],
  ] as const)('%s has no effect, and the same again has one', async (kind, statusCode, rawType) => {
    const intent = await shop.hold();
    sandbox.faults.add({ provider: 'stripe', operation: 'capture', kind, retryAfterSeconds: 7 });
    const refused = await capture(shop, intent.id).catch((error: unknown) => error);
    expect(refused).toMatchObject({ statusCode, rawType });
    if (kind === 'rate_limited') expect(refused).toMatchObject({ headers: { 'retry-after': '7' } });
    expect(capturesOf(intent)).toBe(0);
    expect(await capture(shop, intent.id)).toMatchObject({ status: 'succeeded' });
    expect(capturesOf(intent)).toBe(1);
  });

  // the library itself repeats once where a connection breaks: with the same key
  it('reset_before has no effect', async () => {
    const intent = await shop.hold();
    sandbox.faults.add({ operation: 'capture', kind: 'reset_before', times: 2 });
    await expect(capture(shop, intent.id)).rejects.toMatchObject({ type: 'StripeConnectionError' });
    expect(capturesOf(intent)).toBe(0);
  });

  it('answer_lost has its effect, once, and the same again is told of it', async () => {
    const intent = await shop.hold();
    sandbox.faults.add({ operation: 'capture', kind: 'answer_lost', times: 2 });
    await expect(capture(shop, intent.id)).rejects.toMatchObject({ type: 'StripeConnectionError' });
    expect(capturesOf(intent)).toBe(1);
    const again = await capture(shop, intent.id);
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(capturesOf(intent)).toBe(1);
  });

  it('error_after has its effect, and the same again meets the same 500: only reading tells', async () => {
    const intent = await shop.hold();
    sandbox.faults.add({ operation: 'capture', kind: 'error_after' });
    await expect(capture(shop, intent.id)).rejects.toMatchObject({ statusCode: 500, rawType: 'api_error' });
    await expect(capture(shop, intent.id)).rejects.toMatchObject({ statusCode: 500 });
    expect(await shop.stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'succeeded' });
    expect(capturesOf(intent)).toBe(1);
  });

  it('slow has its effect at once, whether or not anybody waits for the answer', async () => {
    const intent = await shop.hold();
    sandbox.faults.add({ operation: 'capture', kind: 'slow', delayMs: 400 });
    await expect(capture(hasty, intent.id)).rejects.toMatchObject({ type: 'StripeConnectionError' });
    expect(capturesOf(intent)).toBe(1);
  });

  it('slow_before has its effect when nobody waits for it any more', async () => {
    const intent = await shop.hold();
    const arrived = Promise.withResolvers<void>();
    sandbox.faults.add({ operation: 'capture', kind: 'slow_before', delayMs: 400 });
    await expect(capture(hasty, intent.id)).rejects.toMatchObject({ type: 'StripeConnectionError' });
    expect(capturesOf(intent)).toBe(0);
    const watch = setInterval(() => capturesOf(intent) > 0 && arrived.resolve(), 5);
    await arrived.promise;
    clearInterval(watch);
    expect(await shop.stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'succeeded' });
  });

  it('meets the order, the operation and the provider that it names, as often as it says', async () => {
    const [one, other] = [await shop.hold(), await shop.hold()];
    const orderNumber = Number(one.metadata.orderNumber);
    sandbox.faults.add({ provider: 'paypal', operation: 'any', kind: 'unavailable' });
    sandbox.faults.add({ operation: 'capture', kind: 'unavailable', orderNumber, times: 2 });
    expect(await capture(shop, other.id)).toMatchObject({ status: 'succeeded' });
    await expect(capture(shop, one.id)).rejects.toMatchObject({ statusCode: 503 });
    await expect(capture(shop, one.id)).rejects.toMatchObject({ statusCode: 503 });
    expect(await capture(shop, one.id)).toMatchObject({ status: 'succeeded' });
  });

  it('lets a bank decline a capture by script', async () => {
    const intent = await shop.hold();
    sandbox.faults.add({ operation: 'capture', kind: 'capture_declined' });
    await expect(capture(shop, intent.id)).rejects.toMatchObject({ type: 'StripeCardError', code: 'card_declined' });
    expect(await shop.stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'requires_capture' });
  });
});

import { setInterval as every } from 'node:timers/promises';
import { inspect } from 'node:util';
import { generate } from 'selfsigned';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../test/support/payment-desk.ts';
import { type Answer, openScriptedWire, type ScriptedWire } from '../../test/support/scripted-wire.ts';
import type { PaymentReferences } from './payment-gateway.ts';
import { createStripeGateway } from './stripe-gateway.ts';

/** Answers that are broken, late, from somebody else or full of secrets. */
const secretKey = 'sk_test_51TheKeyOfTheseTests';
const references: PaymentReferences = { checkout: 'cs_1', authorisation: 'pi_1', capture: null };
const amount = { amountMinor: 1250, currency: 'EUR' };

let wire: ScriptedWire;
let gateway: ReturnType<typeof createStripeGateway>;
beforeEach(async () => {
  wire = await openScriptedWire();
  gateway = gatewayAt(wire.url);
});
afterEach(async () => {
  gateway.close();
  await wire.close();
});

function gatewayAt(apiBase: string) {
  return createStripeGateway({ secretKey, webhookSecret: 'whsec_x', apiBase, timeoutMs: 400 });
}

const capture = () => gateway.capture(references, amount, 'key-1');

describe('a request whose answer is lost', () => {
  it('is sent once: who asked decides what a repeat means', async () => {
    wire.answer = (request) => request.socket.destroy();
    expect(await failureOf(capture())).toMatchObject({ kind: 'unknown', code: 'ECONNRESET' });
    expect(wire.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['key-1']);
  });

  it('is lost when it breaks off in the middle, too', async () => {
    wire.answer = (request, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"id":');
      response.once('drain', () => {});
      setImmediate(() => request.socket.destroy());
    };
    expect(await failureOf(capture())).toMatchObject({ kind: 'unknown', code: 'ECONNRESET' });
    expect(wire.requests).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ['never comes', () => {}],
    [
      'comes in drops',
      async (_request, response) => {
        response.writeHead(200);
        for await (const _ of every(50)) {
          if (response.destroyed) return;
          response.write(' ');
        }
      },
    ],
  ])('is given up after the time-out when it %s', async (_case, slow) => {
    wire.answer = slow;
    const startedAt = performance.now();
    expect(await failureOf(capture())).toMatchObject({ kind: 'unknown', code: 'ETIMEDOUT' });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });

  it('is unknown when nobody listens', async () => {
    await wire.close();
    expect(await failureOf(capture())).toMatchObject({ kind: 'unknown', code: 'ECONNREFUSED' });
  });

  it.each([
    [502, '<html>Bad gateway</html>'],
    [200, '<html>Sign in to the guest network</html>'],
    [200, ''],
    [200, { id: 'cs_1' }],
  ])('is unknown when it is no answer of Stripe: %i %j', async (status, body) => {
    wire.answerWith(status, body);
    const opened = gateway.createCheckout({
      paymentId: 'p',
      orderNumber: 1,
      amount,
      expiresAt: new Date(Date.now() + 3_600_000),
      successUrl: 'https://shop.example/',
      cancelUrl: 'https://shop.example/',
      idempotencyKey: 'key-1',
    });
    expect((await failureOf(opened)).kind).toBe('unknown');
  });
});

const invalid = { type: 'invalid_request_error' };

describe('a failure', () => {
  it.each<[number, object, string, string]>([
    [402, { type: 'card_error', code: 'card_declined', decline_code: 'stolen_card' }, 'declined', 'card_declined'],
    [402, { ...invalid }, 'refused', 'invalid_request_error'],
    [400, { ...invalid, code: 'payment_intent_unexpected_state' }, 'wrong_state', 'payment_intent_unexpected_state'],
    [400, { ...invalid, code: 'charge_already_refunded' }, 'wrong_state', 'charge_already_refunded'],
    [
      400,
      {
        ...invalid,
        message: 'Only Checkout Sessions with a status in ["open"] can be expired. This one is `complete`.',
      },
      'wrong_state',
      'invalid_request_error',
    ],
    [
      400,
      { ...invalid, message: 'Refund amount (€15.00) is greater than unrefunded amount on charge (€10.00)' },
      'wrong_state',
      'invalid_request_error',
    ],
    [400, { ...invalid, code: 'amount_too_small' }, 'refused', 'amount_too_small'],
    [400, { type: 'idempotency_error' }, 'refused', 'idempotency_error'],
    [400, { ...invalid, code: 'resource_missing', param: 'payment_intent' }, 'not_found', 'resource_missing'],
    [404, { ...invalid, code: 'resource_missing' }, 'not_found', 'resource_missing'],
    [404, { ...invalid, message: 'Unrecognized request URL (POST: /v1).' }, 'refused', 'invalid_request_error'],
    [
      404,
      {
        ...invalid,
        code: 'resource_missing',
        message:
          "No such payment_intent: 'pi_1'; a similar object exists in live mode, but a test mode key was used to make this request.",
      },
      'refused',
      'resource_missing',
    ],
    [401, { ...invalid }, 'unauthorised', 'invalid_request_error'],
    [403, { ...invalid, code: 'more_permissions_required' }, 'unauthorised', 'more_permissions_required'],
    [409, { type: 'idempotency_error', code: 'idempotency_key_in_use' }, 'busy', 'idempotency_key_in_use'],
    [409, { ...invalid, code: 'lock_timeout' }, 'busy', 'lock_timeout'],
    [429, { ...invalid, code: 'lock_timeout' }, 'busy', 'lock_timeout'],
    [429, { ...invalid, code: 'rate_limit' }, 'busy', 'rate_limit'],
    [500, { type: 'api_error' }, 'unknown', 'api_error'],
    [503, { type: 'api_error' }, 'unknown', 'api_error'],
  ])('%i %o is %s', async (status, error, kind, code) => {
    wire.answerWith(status, { error: { message: 'No.', ...error } }, { 'request-id': 'req_7' });
    expect(await failureOf(capture())).toMatchObject({ kind, code, requestId: 'req_7', retryAfterMs: null });
    expect(wire.requests).toHaveLength(1);
  });

  it('says how long Stripe asks to wait', async () => {
    wire.answerWith(429, { error: { ...invalid, code: 'rate_limit' } }, { 'retry-after': '2' });
    expect((await failureOf(capture())).retryAfterMs).toBe(2_000);
    wire.answerWith(
      429,
      { error: { ...invalid, code: 'rate_limit' } },
      { 'retry-after': new Date(Date.now() + 5_000).toUTCString() },
    );
    const { retryAfterMs } = await failureOf(capture());
    expect(retryAfterMs).toBeGreaterThan(2_000);
    expect(retryAfterMs).toBeLessThanOrEqual(5_000);
  });

  it('holds no secret and no card, however it is printed', async () => {
    const message = `Invalid key ${secretKey}, hook whsec_abc, pi_1_secret_xyz, card 4242 4242 4242 4242 or 4000000000000002.`;
    const intent = { client_secret: 'pi_1_secret_xyz', payment_method: { card: { last4: '4242' } } };
    wire.answerWith(402, { error: { type: 'card_error', code: 'card_declined', message, payment_intent: intent } });
    const printed = inspect(await failureOf(capture()), { depth: null, showHidden: true });
    expect(printed).toContain('Invalid key sk_…, hook whsec_…, pi_1_secret_…, card … or ….');
    expect(printed).not.toMatch(/4242|51TheKey|xyz|last4/);
  });
});

it('asks nothing that Stripe cannot do', async () => {
  await expect(gateway.authorise(references, 'key-1')).rejects.toMatchObject({ kind: 'refused' });
  await expect(gateway.reauthorise(references, amount, 'key-1')).rejects.toMatchObject({ kind: 'refused' });
  await expect(gateway.void({ ...references, authorisation: null }, 'key-1')).rejects.toMatchObject({
    kind: 'wrong_state',
  });
  await expect(gateway.capture(references, { amountMinor: 1251, currency: 'KWD' }, 'key-1')).rejects.toMatchObject({
    kind: 'refused',
    code: 'amount_not_payable',
  });
  expect(wire.requests).toHaveLength(0);
});

it('takes an origin for its address, and no path that the SDK would drop', () => {
  expect(() => gatewayAt('http://127.0.0.1:4000/stripe')).toThrow(RangeError);
  gatewayAt('http://[::1]:4000').close();
});

it('is sent to nobody whose certificate is not good', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }]);
  const impostor = await openScriptedWire({ key, cert });
  const trusting = gatewayAt(impostor.url);
  expect(await failureOf(trusting.read(references))).toMatchObject({
    kind: 'unknown',
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  trusting.close();
  await impostor.close();
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../test/support/payment-desk.ts';
import { openScriptedWire, type ScriptedWire } from '../../test/support/scripted-wire.ts';
import type { PaymentReferences } from './payment-gateway.ts';
import { createStripeGateway } from './stripe-gateway.ts';

/** What Stripe can say of a payment, and the sandbox does not come to. */
const references: PaymentReferences = { checkout: 'cs_1', authorisation: 'pi_1', capture: null };
const amount = { amountMinor: 1250, currency: 'EUR' };

let wire: ScriptedWire;
let gateway: ReturnType<typeof createStripeGateway>;
beforeEach(async () => {
  wire = await openScriptedWire();
  gateway = createStripeGateway({
    secretKey: 'sk_test_x',
    webhookSecret: 'whsec_x',
    apiBase: wire.url,
    timeoutMs: 400,
  });
});
afterEach(async () => {
  gateway.close();
  await wire.close();
});

describe('a payment as Stripe has it', () => {
  const intent = {
    id: 'pi_1',
    object: 'payment_intent',
    amount: 1250,
    amount_capturable: 0,
    amount_received: 0,
    currency: 'eur',
    latest_charge: null,
    last_payment_error: null,
    cancellation_reason: null,
    status: 'processing',
  };
  const session = (status: string, more: object) => ({ id: 'cs_1', status, payment_intent: { ...intent, ...more } });

  it.each<[string, object, object]>([
    ['not decided yet', session('complete', {}), { checkout: 'complete', authorisation: { status: 'pending' } }],
    [
      'denied after the customer had gone',
      session('complete', {
        status: 'requires_payment_method',
        last_payment_error: { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' },
      }),
      {
        checkout: 'complete',
        authorisation: { status: 'denied' },
        failure: { code: 'card_declined', message: 'Your card was declined.' },
      },
    ],
    ['tried and not paid', session('open', { status: 'requires_action' }), { checkout: 'open', authorisation: null }],
    [
      'over without a hold',
      session('expired', { status: 'canceled', cancellation_reason: 'automatic' }),
      { checkout: 'expired', authorisation: null },
    ],
    [
      'let go by us',
      session('complete', { status: 'canceled', cancellation_reason: 'requested_by_customer' }),
      { authorisation: { status: 'voided', amount } },
    ],
    [
      'let go by itself',
      session('complete', { status: 'canceled', cancellation_reason: 'automatic' }),
      { authorisation: { status: 'expired', amount } },
    ],
    [
      'held, whatever else is said',
      session('open', {
        status: 'requires_capture',
        amount_capturable: 1250,
        latest_charge: { id: 'ch_1', payment_method_details: { type: 'klarna' } },
      }),
      { authorisation: { status: 'held', amount, heldUntil: null, honouredUntil: null } },
    ],
  ])('can be %s', async (_case, body, expected) => {
    wire.answerWith(200, body);
    expect(await gateway.read(references)).toMatchObject(expected);
    expect(wire.requests).toHaveLength(1);
  });

  const missing = (message: string) => ({
    error: { type: 'invalid_request_error', code: 'resource_missing', message },
  });

  it('is looked up by its intent once the session is forgotten', async () => {
    const held = { ...intent, status: 'requires_capture', amount_capturable: 1250 };
    wire.answer = (request, response) => {
      const known = request.url?.startsWith('/v1/payment_intents/pi_1') ?? false;
      response
        .writeHead(known ? 200 : 404)
        .end(JSON.stringify(known ? held : missing("No such checkout session: 'cs_1'")));
    };
    expect(await gateway.read(references)).toMatchObject({ checkout: 'complete', authorisation: { status: 'held' } });
    expect(await gateway.read({ ...references, authorisation: null })).toMatchObject({
      checkout: 'unknown',
      authorisation: null,
    });
  });

  it('is not taken for gone when the key is of the other mode', async () => {
    wire.answerWith(
      404,
      missing(
        "No such checkout session: 'cs_1'; a similar object exists in live mode, but a test mode key was used to make this request.",
      ),
    );
    expect((await failureOf(gateway.read(references))).kind).toBe('refused');
  });

  it('has as refunds neither what a partial capture let go of, nor hides those that failed', async () => {
    const captured = { ...intent, status: 'succeeded', amount_received: 1000 };
    const charge = { id: 'ch_1', amount_refunded: 250 };
    const refund = { currency: 'eur', balance_transaction: 'txn_1', metadata: {} };
    const refunds = [
      { ...refund, id: 're_1', amount: 100, status: 'failed', metadata: { operationId: 'operation-1' } },
      { ...refund, id: 're_2', amount: 250, status: 'succeeded', balance_transaction: null },
      { ...refund, id: 're_3', amount: 100, status: 'requires_action' },
    ];
    wire.answer = (request, response) => {
      const body = request.url?.startsWith('/v1/refunds')
        ? { object: 'list', data: refunds, has_more: false, url: '/v1/refunds' }
        : session('complete', { ...captured, latest_charge: charge });
      response.end(JSON.stringify(body));
    };
    const { capture, refunds: read } = await gateway.read(references);
    expect(capture).toEqual({ reference: 'ch_1', status: 'done', amount: { amountMinor: 1000, currency: 'EUR' } });
    expect(read).toEqual([
      {
        reference: 're_1',
        operationId: 'operation-1',
        status: 'failed',
        amount: { amountMinor: 100, currency: 'EUR' },
      },
      { reference: 're_3', operationId: null, status: 'pending', amount: { amountMinor: 100, currency: 'EUR' } },
    ]);
  });
});

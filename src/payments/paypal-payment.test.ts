import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWireServer, type WireReply, type WireServer } from '../../test/support/wire-server.ts';
import type { PaymentGateway } from './payment-gateway.ts';
import { createPayPalGateway } from './paypal-gateway.ts';

const references = { checkout: 'ORDER', authorisation: 'AUTH', capture: null };
const amount = { currency_code: 'EUR', value: '12.50' };
const minute = 60_000;
const day = 86_400_000;

let server: WireServer;
let gateway: PaymentGateway;
/** What each path answers; everything else is not found. */
let objects: Record<string, WireReply>;

beforeEach(async () => {
  objects = { '/v1/oauth2/token': { body: { access_token: 'token', token_type: 'Bearer', expires_in: 32_400 } } };
  server = await startWireServer(
    ({ path }) => objects[path] ?? { status: 404, body: { name: 'RESOURCE_NOT_FOUND', details: [] } },
  );
  gateway = createPayPalGateway({
    clientId: 'client',
    clientSecret: 'secret',
    webhookId: 'WH-1',
    environment: 'sandbox',
    apiBase: server.url,
    verify: 'offline',
    timeoutMs: 5_000,
  });
});

afterEach(() => server.close());

function at(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function orderIs(status: string, payments: object = {}): void {
  objects['/v2/checkout/orders/ORDER'] = {
    body: { id: 'ORDER', status, purchase_units: [{ custom_id: 'payment-1', amount, payments }] },
  };
}

function authorisation(changed: object = {}) {
  const madeAt = Date.now() - day;
  return {
    id: 'AUTH',
    status: 'CREATED',
    amount,
    custom_id: 'payment-1',
    create_time: at(madeAt),
    update_time: at(madeAt),
    expiration_time: at(madeAt + 29 * day),
    ...changed,
  };
}

function capture(changed: object = {}) {
  return {
    id: 'CAPTURE',
    status: 'COMPLETED',
    amount,
    custom_id: 'payment-1',
    create_time: at(Date.now() - 40 * day),
    ...changed,
  };
}

describe('an order', () => {
  it.each([
    ['CREATED', 'open'],
    ['SAVED', 'open'],
    ['PAYER_ACTION_REQUIRED', 'open'],
    ['APPROVED', 'approved'],
    ['COMPLETED', 'complete'],
    ['VOIDED', 'expired'],
  ])('%s, with nothing taken yet, is %s', async (status, checkout) => {
    orderIs(status);
    const nothing = { authorisation: null, capture: null, refunds: [], failure: null };
    await expect(gateway.read({ ...references, authorisation: null })).resolves.toEqual({ checkout, ...nothing });
  });

  it('that PayPal does not know, is unknown', async () => {
    await expect(gateway.read(references)).resolves.toMatchObject({ checkout: 'unknown', authorisation: null });
  });

  it('says why it was declined', async () => {
    objects['/v2/checkout/orders/ORDER'] = {
      body: { status: 'APPROVED', purchase_units: [{ most_recent_errors: [{ issue: 'INSTRUMENT_DECLINED' }] }] },
    };
    await expect(gateway.read(references)).resolves.toMatchObject({ failure: { code: 'INSTRUMENT_DECLINED' } });
  });
});

describe('an authorisation', () => {
  it.each([
    [{ status: 'CREATED' }, 'held'],
    [{ status: 'PENDING', status_details: { reason: 'PENDING_REVIEW' } }, 'pending'],
    [{ status: 'A_WORD_OF_TOMORROW' }, 'pending'],
    [{ status: 'DENIED' }, 'denied'],
    [{ status: 'VOIDED' }, 'voided'],
    [{ status: 'VOIDED', update_time: at(Date.now()), expiration_time: at(Date.now() - minute) }, 'expired'],
    [{ status: 'CAPTURED' }, 'captured'],
    [{ status: 'PARTIALLY_CAPTURED' }, 'captured'],
    [{ status: 'CREATED', expiration_time: at(Date.now() - minute) }, 'expired'],
    [{ status: 'CREATED', expiration_time: undefined }, 'held'],
  ])('%j is %s', async (changed, status) => {
    orderIs('COMPLETED', { authorizations: [authorisation(changed)] });
    const { authorisation: seen } = await gateway.read(references);
    expect(seen).toMatchObject({ reference: 'AUTH', status, amount: { amountMinor: 1250, currency: 'EUR' } });
  });

  it('that was denied, is a failure with its reason', async () => {
    orderIs('COMPLETED', { authorizations: [authorisation({ status: 'DENIED' })] });
    await expect(gateway.read(references)).resolves.toMatchObject({ failure: { code: 'AUTHORIZATION_DENIED' } });
  });

  it('is honoured for three days, or as long as it is held', async () => {
    const madeAt = Date.parse(at(Date.now()));
    for (const [heldMs, honouredMs] of [
      [29 * day, 3 * day],
      [2 * day, 2 * day],
    ] as const) {
      const times = { create_time: at(madeAt), expiration_time: at(madeAt + heldMs) };
      orderIs('COMPLETED', { authorizations: [authorisation(times)] });
      await expect(gateway.read(references)).resolves.toMatchObject({
        authorisation: { heldUntil: new Date(madeAt + heldMs), honouredUntil: new Date(madeAt + honouredMs) },
      });
    }
  });

  it('is the latest one, unless money was taken from another', async () => {
    const renewal = authorisation({ id: 'RENEWAL', create_time: at(Date.now()) });
    orderIs('COMPLETED', { authorizations: [renewal, authorisation()] });
    await expect(gateway.read(references)).resolves.toMatchObject({ authorisation: { reference: 'RENEWAL' } });
    orderIs('COMPLETED', { authorizations: [renewal, authorisation({ status: 'CAPTURED' })] });
    await expect(gateway.read(references)).resolves.toMatchObject({
      authorisation: { reference: 'AUTH', status: 'captured' },
    });
  });

  it('is read by itself when the order does not list it', async () => {
    orderIs('COMPLETED', { authorizations: [authorisation()] });
    objects['/v2/payments/authorizations/RENEWAL'] = {
      body: authorisation({ id: 'RENEWAL', create_time: at(Date.now()) }),
    };
    await expect(gateway.read({ ...references, authorisation: 'RENEWAL' })).resolves.toMatchObject({
      authorisation: { reference: 'RENEWAL' },
    });
  });

  it('is voided by its first one, which a renewal cannot be without', async () => {
    const renewal = authorisation({ id: 'RENEWAL', create_time: at(Date.now()) });
    orderIs('COMPLETED', { authorizations: [renewal, authorisation()] });
    objects['/v2/payments/authorizations/AUTH/void'] = { status: 204 };
    await gateway.void({ ...references, authorisation: 'RENEWAL' }, 'void-key');
    expect(server.requests.at(-1)).toMatchObject({
      path: '/v2/payments/authorizations/AUTH/void',
      headers: { 'paypal-request-id': 'void-key' },
    });
  });
});

describe('a capture', () => {
  it('is as much as was taken in all, when somebody has captured in parts by hand', async () => {
    orderIs('COMPLETED', {
      captures: [capture(), capture({ id: 'SECOND' }), capture({ id: 'BAD', status: 'DECLINED' })],
    });
    const { capture: taken } = await gateway.read(references);
    orderIs('COMPLETED', { captures: [capture()] });
    const { capture: one } = await gateway.read(references);
    expect(taken?.amount.amountMinor).toBe(2 * (one?.amount.amountMinor ?? 0));
  });

  it.each([
    ['COMPLETED', 'done'],
    ['PARTIALLY_REFUNDED', 'done'],
    ['REFUNDED', 'done'],
    ['PENDING', 'pending'],
    ['A_WORD_OF_TOMORROW', 'pending'],
    ['DECLINED', 'declined'],
    ['FAILED', 'declined'],
  ])('%s is %s', async (given, status) => {
    orderIs('COMPLETED', { authorizations: [authorisation()], captures: [capture({ status: given })] });
    await expect(gateway.read(references)).resolves.toMatchObject({ capture: { reference: 'CAPTURE', status } });
  });

  it('that was declined, is a failure with its reason, until another one is good', async () => {
    const declined = capture({ status: 'DECLINED', status_details: { reason: 'BUYER_COMPLAINT' } });
    orderIs('COMPLETED', { captures: [declined] });
    await expect(gateway.read(references)).resolves.toMatchObject({ failure: { code: 'BUYER_COMPLAINT' } });
    orderIs('COMPLETED', { captures: [capture({ id: 'GOOD' }), { ...declined, create_time: at(Date.now()) }] });
    await expect(gateway.read(references)).resolves.toMatchObject({ capture: { reference: 'GOOD' }, failure: null });
  });

  it('of an order that PayPal has forgotten, is found by its id', async () => {
    objects['/v2/payments/authorizations/AUTH'] = { body: authorisation({ status: 'CAPTURED' }) };
    objects['/v2/payments/captures/CAPTURE'] = { body: capture() };
    await expect(gateway.read({ ...references, capture: 'CAPTURE' })).resolves.toMatchObject({
      checkout: 'complete',
      authorisation: { reference: 'AUTH', status: 'captured' },
      capture: { reference: 'CAPTURE', status: 'done' },
      refunds: [],
    });
  });
});

describe('a refund', () => {
  it('names the operation that asked for it, and none where nobody of ours did', async () => {
    const refund = { status: 'COMPLETED', amount: { currency_code: 'EUR', value: '2.00' } };
    orderIs('COMPLETED', {
      captures: [capture({ status: 'PARTIALLY_REFUNDED' })],
      refunds: [
        { ...refund, id: 'REFUND-1', custom_id: 'operation-1' },
        { ...refund, id: 'REFUND-2', custom_id: 'payment-1', status: 'PENDING' },
        { ...refund, id: 'REFUND-3', status: 'CANCELLED' },
      ],
    });
    const money = { amountMinor: 200, currency: 'EUR' };
    await expect(gateway.read(references)).resolves.toMatchObject({
      refunds: [
        { reference: 'REFUND-1', operationId: 'operation-1', status: 'done', amount: money },
        { reference: 'REFUND-2', operationId: null, status: 'pending', amount: money },
        { reference: 'REFUND-3', operationId: null, status: 'failed', amount: money },
      ],
    });
  });

  it('of an order that PayPal has forgotten, is found in its books, and waited for there', async () => {
    objects['/v2/payments/captures/CAPTURE'] = { body: capture({ status: 'PARTIALLY_REFUNDED' }) };
    objects['/v1/reporting/transactions'] = { body: { transaction_details: [], total_pages: 0 } };
    const forgotten = { ...references, capture: 'CAPTURE' };
    await expect(gateway.read(forgotten)).rejects.toMatchObject({ kind: 'busy', code: 'REFUNDS_NOT_LISTED_YET' });
    const transaction = (changed: object) => ({
      transaction_info: {
        transaction_id: 'REFUND-1',
        paypal_reference_id: 'CAPTURE',
        transaction_event_code: 'T1107',
        transaction_status: 'S',
        transaction_initiation_date: '2026-11-20T10:00:00+0000',
        transaction_amount: { currency_code: 'EUR', value: '-2.00' },
        custom_field: 'operation-1',
        ...changed,
      },
    });
    objects['/v1/reporting/transactions'] = {
      body: {
        transaction_details: [transaction({}), transaction({ transaction_id: 'X', paypal_reference_id: 'ANOTHER' })],
        total_pages: 1,
      },
    };
    await expect(gateway.read(forgotten)).resolves.toMatchObject({
      refunds: [
        {
          reference: 'REFUND-1',
          operationId: 'operation-1',
          status: 'done',
          amount: { amountMinor: 200, currency: 'EUR' },
        },
      ],
    });
    objects['/v2/payments/captures/CAPTURE'] = { body: capture({ status: 'REFUNDED' }) };
    await expect(gateway.read(forgotten)).rejects.toMatchObject({ code: 'REFUNDS_NOT_LISTED_YET' });
  });
});

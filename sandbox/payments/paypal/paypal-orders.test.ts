import { randomUUID } from 'node:crypto';
import { CheckoutPaymentIntent, type OrderRequest } from '@paypal/paypal-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from '../payment-sandbox.ts';
import { openPayPalSdk, type PayPalSdk, refusalOf } from './paypal-sdk.ts';

const hourMs = 3_600_000;
let sandbox: PaymentSandbox;
let sdk: PayPalSdk;

beforeAll(async () => {
  sandbox = await startPaymentSandbox();
  sdk = openPayPalSdk(sandbox.settings);
});
afterAll(() => sandbox.close());

function orderRequest(value = '12.50', currencyCode = 'EUR'): OrderRequest {
  return {
    intent: CheckoutPaymentIntent.Authorize,
    purchaseUnits: [
      { referenceId: 'p-1', customId: 'p-1', description: 'Order 1042', amount: { currencyCode, value } },
    ],
    paymentSource: {
      paypal: { experienceContext: { returnUrl: 'http://shop.test/back?a=1', cancelUrl: 'http://shop.test/away' } },
    },
  };
}

async function createOrder(body = orderRequest(), paypalRequestId: string = randomUUID()) {
  return (await sdk.orders.createOrder({ body, paypalRequestId, prefer: 'return=representation' })).result;
}

function authorise(id = '', paypalRequestId: string = randomUUID()) {
  return sdk.orders.authorizeOrder({ id, paypalRequestId, prefer: 'return=representation' });
}

async function setTokenLife(lifeSeconds: number) {
  const init = {
    method: 'PUT',
    body: JSON.stringify({ lifeSeconds }),
    headers: { 'content-type': 'application/json' },
  };
  expect((await fetch(`${sandbox.url}/sandbox/paypal/tokens`, init)).status).toBe(204);
}

describe('an order', () => {
  it('waits for the customer, who is sent back with the token and the payer', async () => {
    const order = await createOrder();
    expect(order.status).toBe('PAYER_ACTION_REQUIRED');
    expect(order.purchaseUnits?.[0]).toMatchObject({ referenceId: 'p-1', customId: 'p-1', amount: { value: '12.50' } });
    const page = order.links?.find(({ rel }) => rel === 'payer-action')?.href ?? '';
    expect(await refusalOf(authorise(order.id))).toBe('422 ORDER_NOT_APPROVED');

    const paid = await fetch(`${page}/pay`, { method: 'POST', redirect: 'manual' });
    const back = new URL(paid.headers.get('location') ?? '');
    expect(back.searchParams.get('token')).toBe(order.id);
    expect(back.searchParams.get('PayerID')).toMatch(/^\w{13}$/);
    expect(back.searchParams.get('a')).toBe('1');
    expect((await sdk.orders.getOrder({ id: order.id ?? '' })).result.status).toBe('APPROVED');
  });

  it('is authorised once, and then never again', async () => {
    const { id } = await createOrder();
    sandbox.pay(id ?? '');
    const { result, statusCode } = await authorise(id);
    expect(statusCode).toBe(201);
    const authorisation = result.purchaseUnits?.[0]?.payments?.authorizations?.[0];
    expect(result.status).toBe('COMPLETED');
    expect(authorisation).toMatchObject({
      status: 'CREATED',
      amount: { value: '12.50', currencyCode: 'EUR' },
      customId: 'p-1',
    });
    const { createTime, expirationTime } = authorisation ?? {};
    expect(Date.parse(expirationTime ?? '') - Date.parse(createTime ?? '')).toBe(29 * 24 * hourMs);
    expect(await refusalOf(authorise(id))).toBe('422 ORDER_ALREADY_AUTHORIZED');
    expect(sandbox.ledger.entries().filter(({ reference }) => reference === authorisation?.id)).toMatchObject([
      {
        kind: 'authorised',
        provider: 'paypal',
        paymentId: 'p-1',
        orderNumber: 1042,
        amountMinor: 1250,
        currency: 'EUR',
      },
    ]);
  });

  it('stays approved when what the customer chose is declined, until they choose something else', async () => {
    const { id = '' } = await createOrder();
    sandbox.decline(id);
    const key = randomUUID();
    expect(await refusalOf(authorise(id, key))).toBe('422 INSTRUMENT_DECLINED');
    const { result } = await sdk.orders.getOrder({ id });
    expect(result.status).toBe('APPROVED');
    expect(result.purchaseUnits?.[0]?.mostRecentErrors).toMatchObject([{ issue: 'INSTRUMENT_DECLINED' }]);
    expect(sandbox.ledger.entries({ kind: 'authorised' }).some(({ reference }) => reference === id)).toBe(false);
    sandbox.pay(id);
    expect((await sdk.orders.getOrder({ id })).result.purchaseUnits?.[0]?.mostRecentErrors).toBeUndefined();
    expect(() => sandbox.pay(id)).toThrow('approved'); // once is enough
    expect((await authorise(id, key)).result.status).toBe('COMPLETED');
  });

  it('is not paid for an invoice that another one has paid', async () => {
    const request = orderRequest();
    const purchaseUnits = request.purchaseUnits.map((unit) => ({ ...unit, invoiceId: 'invoice-1' }));
    const [one, other] = [
      await createOrder({ ...request, purchaseUnits }),
      await createOrder({ ...request, purchaseUnits }),
    ];
    sandbox.pay(one.id ?? '');
    sandbox.pay(other.id ?? '');
    await authorise(one.id);
    expect(await refusalOf(authorise(other.id))).toBe('422 DUPLICATE_INVOICE_ID');
  });

  it('is gone six hours later when nobody approved it, or nobody authorised it after that', async () => {
    const [open, approved] = [await createOrder(), await createOrder()];
    sandbox.clock.advance(6 * hourMs - 10_000);
    expect((await sdk.orders.getOrder({ id: open.id ?? '' })).result.status).toBe('PAYER_ACTION_REQUIRED');
    sandbox.pay(approved.id ?? '');
    sandbox.clock.advance(10_000);
    expect(await refusalOf(sdk.orders.getOrder({ id: open.id ?? '' }))).toBe('404 INVALID_RESOURCE_ID');
    expect(() => sandbox.pay(open.id ?? '')).toThrow('expired');
    expect((await sdk.orders.getOrder({ id: approved.id ?? '' })).result.status).toBe('APPROVED');
    sandbox.clock.advance(6 * hourMs);
    expect(await refusalOf(authorise(approved.id))).toBe('404 INVALID_RESOURCE_ID');
  });

  it('is captured at once with the intent CAPTURE', async () => {
    const { id = '' } = await createOrder({ ...orderRequest(), intent: CheckoutPaymentIntent.Capture });
    sandbox.pay(id);
    expect(await refusalOf(authorise(id))).toBe('422 ACTION_DOES_NOT_MATCH_INTENT');
    const { result } = await sdk.orders.captureOrder({ id, prefer: 'return=representation' });
    expect(result.purchaseUnits?.[0]?.payments?.captures).toMatchObject([
      { status: 'COMPLETED', amount: { value: '12.50' } },
    ]);
    expect(await refusalOf(sdk.orders.captureOrder({ id }))).toBe('422 ORDER_ALREADY_CAPTURED');
  });

  it('says little unless all of it is preferred', async () => {
    const { result, statusCode } = await sdk.orders.createOrder({
      body: { ...orderRequest(), paymentSource: undefined as never },
    });
    expect(statusCode).toBe(201);
    expect(result.status).toBe('CREATED');
    expect(result.links?.map(({ rel }) => rel)).toContain('approve');
    expect(result.purchaseUnits).toBeUndefined();
  });
});

describe('a PayPal-Request-Id', () => {
  it('makes one order of two requests, and is refused for another one', async () => {
    const key = randomUUID();
    const first = await createOrder(orderRequest('5.00'), key);
    expect((await createOrder(orderRequest('5.00'), key)).id).toBe(first.id);
    expect(await refusalOf(createOrder(orderRequest('6.00'), key))).toBe('422 DUPLICATE_REQUEST_ID');
    sandbox.clock.advance(6 * hourMs);
    expect((await createOrder(orderRequest('5.00'), key)).id).not.toBe(first.id); // forgotten
  });

  it('answers the second authorise like the first', async () => {
    const { id = '' } = await createOrder();
    sandbox.pay(id);
    const key = randomUUID();
    const [first, second] = [await authorise(id, key), await authorise(id, key)];
    expect(second.result).toEqual(first.result);
    expect([first.statusCode, second.statusCode]).toEqual([201, 200]);
    expect(
      sandbox.ledger
        .entries({ kind: 'authorised' })
        .filter(({ reference }) => reference === first.result.purchaseUnits?.[0]?.payments?.authorizations?.[0]?.id),
    ).toHaveLength(1);
  });

  it('lets only one of two at the same moment through', async () => {
    const key = randomUUID();
    sandbox.faults.add({ provider: 'paypal', operation: 'checkout.create', kind: 'slow', delayMs: 300 });
    const both = await Promise.allSettled([createOrder(orderRequest(), key), createOrder(orderRequest(), key)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = both.find((each) => each.status === 'rejected');
    expect(await refusalOf(Promise.reject(refused?.reason))).toBe('409 PREVIOUS_REQUEST_IN_PROGRESS');
  });

  it('is needed with a payment source, and has its limit', async () => {
    expect(await refusalOf(sdk.orders.createOrder({ body: orderRequest() }))).toBe('400 PAYPAL_REQUEST_ID_REQUIRED');
    expect(await refusalOf(createOrder(orderRequest(), 'k'.repeat(109)))).toBe('400 INVALID_STRING_MAX_LENGTH');
  });
});

describe('a request that PayPal would not take', () => {
  it.each([
    ['12.5', 'JPY', '422 DECIMALS_NOT_SUPPORTED'],
    ['1200.00', 'HUF', '422 DECIMALS_NOT_SUPPORTED'],
    ['1200.00', 'TWD', '422 DECIMALS_NOT_SUPPORTED'],
    ['1.234', 'EUR', '422 DECIMAL_PRECISION'],
    ['1.000', 'KWD', '422 CURRENCY_NOT_SUPPORTED'],
    ['1.00', 'eur', '422 INVALID_CURRENCY_CODE'],
    ['0.00', 'EUR', '422 CANNOT_BE_ZERO_OR_NEGATIVE'],
    ['-1.00', 'EUR', '422 CANNOT_BE_ZERO_OR_NEGATIVE'],
    ['1,00', 'EUR', '400 INVALID_PARAMETER_SYNTAX'],
  ])('%s %s: %s', async (value, currency, refusal) => {
    expect(await refusalOf(createOrder(orderRequest(value, currency)))).toBe(refusal);
  });

  it('is refused in the usual envelope', async () => {
    const response = await sdk.fetch('/v2/checkout/orders/NOTTHERE');
    expect(response.status).toBe(404);
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ name: 'RESOURCE_NOT_FOUND', details: [{ issue: 'INVALID_RESOURCE_ID' }] });
    expect(body.debug_id).toBe(response.headers.get('paypal-debug-id'));
    const malformed = await sdk.fetch('/v2/checkout/orders', { method: 'POST', body: '{' });
    expect([malformed.status, await malformed.json()]).toMatchObject([
      400,
      { details: [{ issue: 'MALFORMED_REQUEST_JSON' }] },
    ]);
    expect((await sdk.fetch('/v2/checkout/nothing')).status).toBe(404);
  });
});

describe('an access token', () => {
  it('is given for the right secret alone', async () => {
    const stranger = openPayPalSdk({ ...sandbox.settings, PAYPAL_CLIENT_SECRET: 'guessed' });
    expect(await refusalOf(stranger.orders.getOrder({ id: 'X' }))).toBe('401 invalid_client');
  });

  it('is needed everywhere, and ends', async () => {
    expect((await fetch(`${sandbox.url}/v2/checkout/orders/X`)).status).toBe(401);
    const { id = '' } = await createOrder();
    await fetch(`${sandbox.url}/sandbox/paypal/tokens`, { method: 'DELETE' });
    expect(await refusalOf(sdk.orders.getOrder({ id }))).toBe('401 invalid_token');
    sdk = openPayPalSdk(sandbox.settings);
    expect((await sdk.orders.getOrder({ id })).statusCode).toBe(200);

    await setTokenLife(0);
    const late = openPayPalSdk(sandbox.settings);
    expect(await refusalOf(late.orders.getOrder({ id }))).toBe('401 invalid_token');
    await setTokenLife(3_600);
    expect((await sdk.orders.getOrder({ id })).statusCode).toBe(200); // it had been given for longer
  });
});

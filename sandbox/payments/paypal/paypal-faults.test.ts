import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ApiError, CheckoutPaymentIntent } from '@paypal/paypal-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from '../payment-sandbox.ts';
import { openPayPalSdk, type PayPalSdk, refusalOf } from './paypal-sdk.ts';

const prefer = 'return=representation';
let sandbox: PaymentSandbox;
let sdk: PayPalSdk;

beforeAll(async () => {
  sandbox = await startPaymentSandbox();
  sdk = openPayPalSdk(sandbox.settings);
});
afterAll(() => sandbox.close());

async function authorised(number: number) {
  const unit = {
    customId: `p-${number}`,
    description: `Order ${number}`,
    amount: { currencyCode: 'EUR', value: '9.00' },
  };
  const body = { intent: CheckoutPaymentIntent.Authorize, purchaseUnits: [unit] };
  const id = (await sdk.orders.createOrder({ body })).result.id ?? '';
  sandbox.pay(id);
  const order = (await sdk.orders.authorizeOrder({ id, prefer })).result;
  return order.purchaseUnits?.[0]?.payments?.authorizations?.[0]?.id ?? '';
}

const capturesOf = (orderNumber: number) => sandbox.ledger.entries({ orderNumber, kind: 'captured' });

describe('a capture that meets trouble', () => {
  it.each(['answer_lost', 'error_after'] as const)('%s: it happened, and its key says so', async (kind) => {
    const orderNumber = kind === 'answer_lost' ? 501 : 502;
    const request = { authorizationId: await authorised(orderNumber), paypalRequestId: randomUUID(), prefer };
    sandbox.faults.add({ provider: 'paypal', operation: 'capture', orderNumber, kind });
    const failure = await sdk.payments.captureAuthorizedPayment(request).catch((error: unknown) => error);
    if (kind === 'error_after') expect(failure).toMatchObject({ statusCode: 500 });
    else expect(failure).toMatchObject({ code: 'ECONNRESET' });
    expect(capturesOf(orderNumber)).toHaveLength(1);
    const { result } = await sdk.payments.captureAuthorizedPayment(request);
    expect(result.status).toBe('COMPLETED');
    expect(capturesOf(orderNumber)).toMatchObject([{ reference: result.id, amountMinor: 900 }]);
  });

  it.each([
    ['unavailable', '503 SERVICE_UNAVAILABLE'],
    ['rate_limited', '429 RATE_LIMIT_REACHED'],
    ['conflict', '409 PREVIOUS_REQUEST_IN_PROGRESS'],
  ] as const)('%s: nothing happened, and the key is as good as new', async (kind, refusal) => {
    const orderNumber = { unavailable: 511, rate_limited: 512, conflict: 513 }[kind];
    const request = { authorizationId: await authorised(orderNumber), paypalRequestId: randomUUID() };
    sandbox.faults.add({ provider: 'paypal', operation: 'capture', orderNumber, kind, retryAfterSeconds: 7 });
    const call = sdk.payments.captureAuthorizedPayment(request);
    expect(await refusalOf(call)).toBe(refusal);
    const error = await call.catch((reason: unknown) => reason);
    const headers = error instanceof ApiError ? error.headers : undefined;
    expect(headers?.['retry-after']).toBe(kind === 'rate_limited' ? '7' : undefined);
    expect(headers?.['paypal-debug-id']).toMatch(/^[0-9a-f]{13}$/);
    expect(capturesOf(orderNumber)).toEqual([]);
    expect((await sdk.payments.captureAuthorizedPayment(request)).result.status).toBe('COMPLETED');
  });
});

it('aims at the order that a script names', async () => {
  const [one, other] = [await authorised(601), await authorised(602)];
  sandbox.faults.add({ provider: 'paypal', operation: 'any', orderNumber: 602, kind: 'unavailable' });
  expect((await sdk.payments.getAuthorizedPayment({ authorizationId: one })).statusCode).toBe(200);
  expect(await refusalOf(sdk.payments.getAuthorizedPayment({ authorizationId: other }))).toBe(
    '503 SERVICE_UNAVAILABLE',
  );
});

it('knows after a restart what it knew, by the same tokens and certificates', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'paypal-sandbox-'));
  const options = { dataFile: path.join(folder, 'state.json') };
  let kept = await startPaymentSandbox(options);
  try {
    const before = openPayPalSdk(kept.settings);
    const body = {
      intent: CheckoutPaymentIntent.Authorize,
      purchaseUnits: [{ amount: { currencyCode: 'EUR', value: '9.00' } }],
    };
    const request = { body, paypalRequestId: randomUUID(), prefer };
    const { result: order } = await before.orders.createOrder(request);
    kept.pay(order.id ?? '');
    const { accessToken } = await before.client.clientCredentialsAuthManager.fetchToken();
    await kept.close();
    kept = await startPaymentSandbox(options);
    const read = await fetch(`${kept.url}/v2/checkout/orders/${order.id}`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect([read.status, await read.json()]).toMatchObject([200, { status: 'APPROVED' }]);
    const after = openPayPalSdk(kept.settings);
    expect((await after.orders.createOrder(request)).result.id).toBe(order.id);
  } finally {
    await kept.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

import { randomUUID } from 'node:crypto';
import { CheckoutPaymentIntent } from '@paypal/paypal-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from '../payment-sandbox.ts';
import { openPayPalSdk, type PayPalSdk, refusalOf } from './paypal-sdk.ts';

const dayMs = 24 * 3_600_000;
const prefer = 'return=representation';
let sandbox: PaymentSandbox;
let sdk: PayPalSdk;

beforeAll(async () => {
  sandbox = await startPaymentSandbox();
  sdk = openPayPalSdk(sandbox.settings);
});
afterAll(() => sandbox.close());

const eur = (value: string) => ({ currencyCode: 'EUR', value });

/** An authorisation of 20 €, fresh from the customer. */
async function authorised() {
  const unit = { customId: randomUUID(), description: 'Order 7', amount: eur('20.00') };
  const { result: order } = await sdk.orders.createOrder({
    body: { intent: CheckoutPaymentIntent.Authorize, purchaseUnits: [unit] },
    prefer,
  });
  const orderId = order.id ?? '';
  sandbox.pay(orderId);
  const { result } = await sdk.orders.authorizeOrder({ id: orderId, prefer });
  const authorizationId = result.purchaseUnits?.[0]?.payments?.authorizations?.[0]?.id ?? '';
  return { orderId, authorizationId, paymentId: unit.customId };
}

function capture(authorizationId: string, value?: string, finalCapture = true) {
  const body = value === undefined ? { finalCapture } : { amount: eur(value), finalCapture };
  return sdk.payments.captureAuthorizedPayment({ authorizationId, prefer, body, paypalRequestId: randomUUID() });
}
const readAuthorisation = async (authorizationId: string) =>
  (await sdk.payments.getAuthorizedPayment({ authorizationId })).result;
const voidIt = (authorizationId: string) => sdk.payments.voidPayment({ authorizationId, prefer });
const reauthorise = (authorizationId: string, amount = eur('20.00')) =>
  sdk.payments.reauthorizePayment({ authorizationId, prefer, body: { amount } });
const refund = (captureId: string, value?: string, customId?: string) =>
  sdk.payments.refundCapturedPayment({
    captureId,
    prefer,
    paypalRequestId: randomUUID(),
    body: { ...(value !== undefined && { amount: eur(value) }), ...(customId !== undefined && { customId }) },
  });
const kindsOf = (paymentId: string) =>
  sandbox.ledger.entries({ paymentId }).map(({ kind, amountMinor }) => `${kind} ${amountMinor}`);

describe('a capture', () => {
  it('takes the money once and lets the rest go', async () => {
    const { orderId, authorizationId, paymentId } = await authorised();
    expect(await refusalOf(capture(authorizationId, '20.01'))).toBe('422 MAX_CAPTURE_AMOUNT_EXCEEDED');
    const { result, statusCode } = await capture(authorizationId, '15.00');
    expect([statusCode, result.status, result.amount?.value, result.customId]).toEqual([
      201,
      'COMPLETED',
      '15.00',
      paymentId,
    ]);
    expect(result.supplementaryData?.relatedIds).toMatchObject({ orderId, authorizationId });
    expect((await readAuthorisation(authorizationId)).status).toBe('CAPTURED');
    expect(await refusalOf(capture(authorizationId))).toBe('422 AUTHORIZATION_ALREADY_CAPTURED');
    expect(await refusalOf(voidIt(authorizationId))).toBe('422 PREVIOUSLY_CAPTURED');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'captured 1500']);
  });

  it('in parts leaves the rest to be captured or voided', async () => {
    const { authorizationId, paymentId } = await authorised();
    await capture(authorizationId, '5.00', false);
    expect((await readAuthorisation(authorizationId)).status).toBe('PARTIALLY_CAPTURED');
    expect(await refusalOf(capture(authorizationId, '15.01'))).toBe('422 MAX_CAPTURE_AMOUNT_EXCEEDED');
    expect((await voidIt(authorizationId)).result?.status).toBe('VOIDED');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'captured 500', 'voided 1500']);
  });

  it('is refused in another currency', async () => {
    const { authorizationId } = await authorised();
    const body = { amount: { currencyCode: 'USD', value: '20.00' } };
    const call = sdk.payments.captureAuthorizedPayment({ authorizationId, body });
    expect(await refusalOf(call)).toBe('422 AUTH_CAPTURE_CURRENCY_MISMATCH');
  });

  it('that is declined takes nothing and leaves the hold', async () => {
    const { authorizationId, paymentId } = await authorised();
    sandbox.faults.add({ provider: 'paypal', operation: 'capture', kind: 'capture_declined' });
    const { result } = await capture(authorizationId);
    expect(result.status).toBe('DECLINED');
    expect(await refusalOf(refund(result.id ?? ''))).toBe('422 REFUND_NOT_ALLOWED');
    expect((await capture(authorizationId)).result.status).toBe('COMPLETED');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'captured 2000']);
  });

  it('that is pending is completed an hour later', async () => {
    const { authorizationId, paymentId } = await authorised();
    sandbox.faults.add({ provider: 'paypal', operation: 'capture', kind: 'capture_pending' });
    const { result } = await capture(authorizationId);
    expect([result.status, result.statusDetails?.reason]).toEqual(['PENDING', 'PENDING_REVIEW']);
    expect(await refusalOf(refund(result.id ?? ''))).toBe('422 PENDING_CAPTURE');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000']);
    sandbox.clock.advance(3_600_000);
    expect((await sdk.payments.getCapturedPayment({ captureId: result.id ?? '' })).result.status).toBe('COMPLETED');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'captured 2000']);
  });

  it('with the same request id is one capture, 44 days later too', async () => {
    const { authorizationId, paymentId } = await authorised();
    const request = { authorizationId, paypalRequestId: randomUUID(), prefer };
    const first = await sdk.payments.captureAuthorizedPayment(request);
    sandbox.clock.advance(44 * dayMs);
    expect((await sdk.payments.captureAuthorizedPayment(request)).result.id).toBe(first.result.id);
    sandbox.clock.advance(dayMs);
    expect(await refusalOf(sdk.payments.captureAuthorizedPayment(request))).toBe('422 AUTHORIZATION_ALREADY_CAPTURED');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'captured 2000']);
  });
});

describe('a void', () => {
  it('lets the hold go, once', async () => {
    const { authorizationId, paymentId } = await authorised();
    expect((await sdk.payments.voidPayment({ authorizationId })).statusCode).toBe(204);
    expect((await readAuthorisation(authorizationId)).status).toBe('VOIDED');
    expect(await refusalOf(voidIt(authorizationId))).toBe('422 PREVIOUSLY_VOIDED');
    expect(await refusalOf(capture(authorizationId))).toBe('422 AUTHORIZATION_VOIDED');
    expect(await refusalOf(reauthorise(authorizationId))).toBe('422 AUTHORIZATION_VOIDED');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'voided 2000']);
  });
});

describe('an authorisation', () => {
  it('is renewed once, from the fourth day, with a new id and the same end', async () => {
    const { orderId, authorizationId, paymentId } = await authorised();
    const before = await readAuthorisation(authorizationId);
    expect(await refusalOf(reauthorise(authorizationId))).toBe('422 REAUTHORIZATION_TOO_SOON');
    sandbox.clock.advance(3 * dayMs);
    const first = await readAuthorisation(authorizationId);
    const { result: renewal } = await reauthorise(authorizationId);
    expect(renewal.id).not.toBe(authorizationId);
    expect(renewal.status).toBe('CREATED');
    expect(renewal.expirationTime).toBe(first.expirationTime);
    expect(Date.parse(renewal.createTime ?? '') - Date.parse(first.createTime ?? '')).toBeGreaterThanOrEqual(3 * dayMs);
    expect(Date.parse(before.expirationTime ?? '') - Date.parse(first.expirationTime ?? '')).toBeCloseTo(3 * dayMs, -4);
    expect(await refusalOf(reauthorise(authorizationId))).toBe('422 REAUTHORIZATION_TOO_SOON');
    expect(await refusalOf(reauthorise(renewal.id ?? ''))).toBe('422 REAUTHORIZATION_NOT_SUPPORTED');
    const { result: order } = await sdk.orders.getOrder({ id: orderId });
    expect(order.purchaseUnits?.[0]?.payments?.authorizations?.map(({ id }) => id)).toEqual([
      authorizationId,
      renewal.id,
    ]);
    await capture(renewal.id ?? '');
    expect(await refusalOf(capture(authorizationId))).toBe('422 AUTHORIZATION_ALREADY_CAPTURED'); // it is one hold
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'reauthorised 2000', 'captured 2000']);
  });

  it('is renewed for what it was, and only whole', async () => {
    const { authorizationId } = await authorised();
    sandbox.clock.advance(4 * dayMs);
    expect(await refusalOf(reauthorise(authorizationId, eur('20.01')))).toBe('422 AUTHORIZATION_AMOUNT_EXCEEDED');
    const dollars = { currencyCode: 'USD', value: '20.00' };
    expect(await refusalOf(reauthorise(authorizationId, dollars))).toBe('422 AUTH_CURRENCY_MISMATCH');
    await capture(authorizationId, '5.00', false);
    expect(await refusalOf(reauthorise(authorizationId))).toBe('422 AUTHORIZATION_ALREADY_CAPTURED');
  });

  it('that was renewed for less holds no more than that, by either id', async () => {
    const { authorizationId, paymentId } = await authorised();
    sandbox.clock.advance(4 * dayMs);
    const { result: renewal } = await reauthorise(authorizationId, eur('10.00'));
    expect(await refusalOf(capture(authorizationId, '15.00'))).toBe('422 MAX_CAPTURE_AMOUNT_EXCEEDED');
    await capture(authorizationId, '4.00', false);
    expect((await capture(renewal.id ?? '')).result.amount?.value).toBe('6.00');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'reauthorised 1000', 'captured 400', 'captured 600']);
  });

  it('that was renewed is voided by its first id alone', async () => {
    const { authorizationId, paymentId } = await authorised();
    sandbox.clock.advance(4 * dayMs);
    const { result: renewal } = await reauthorise(authorizationId);
    expect(await refusalOf(voidIt(renewal.id ?? ''))).toBe('422 CANNOT_BE_VOIDED');
    await voidIt(authorizationId);
    expect((await readAuthorisation(renewal.id ?? '')).status).toBe('VOIDED');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'reauthorised 2000', 'voided 2000']);
  });

  it('ends after 29 days, by itself', async () => {
    const { authorizationId, paymentId } = await authorised();
    sandbox.clock.advance(29 * dayMs - 10_000);
    expect((await readAuthorisation(authorizationId)).status).toBe('CREATED');
    sandbox.clock.advance(10_000);
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'expired 2000']); // before anybody has read it
    expect((await readAuthorisation(authorizationId)).status).toBe('VOIDED');
    expect(await refusalOf(capture(authorizationId))).toBe('422 AUTHORIZATION_EXPIRED');
    expect(await refusalOf(voidIt(authorizationId))).toBe('422 PREVIOUSLY_VOIDED');
    const events = sandbox.webhooks.events('paypal').filter(({ body }) => body.includes(authorizationId));
    expect(events.map(({ type }) => type)).toEqual(['PAYMENT.AUTHORIZATION.CREATED', 'PAYMENT.AUTHORIZATION.VOIDED']);
  });
});

describe('a refund', () => {
  it('gives back in parts what was captured, and no more', async () => {
    const { authorizationId, paymentId } = await authorised();
    const captureId = (await capture(authorizationId)).result.id ?? '';
    const { result: first } = await refund(captureId, '5.00', 'operation-1');
    expect([first.status, first.customId, first.amount?.value]).toEqual(['COMPLETED', 'operation-1', '5.00']);
    expect((await sdk.payments.getCapturedPayment({ captureId })).result.status).toBe('PARTIALLY_REFUNDED');
    expect(await refusalOf(refund(captureId, '15.01'))).toBe('422 REFUND_AMOUNT_EXCEEDED');
    const dollars = { amount: { currencyCode: 'USD', value: '1.00' } };
    const inDollars = sdk.payments.refundCapturedPayment({ captureId, body: dollars });
    expect(await refusalOf(inDollars)).toBe('422 REFUND_CAPTURE_CURRENCY_MISMATCH');
    const { result: rest } = await refund(captureId);
    expect(rest.amount?.value).toBe('15.00');
    expect(rest.sellerPayableBreakdown?.totalRefundedAmount?.value).toBe('20.00');
    expect((await sdk.payments.getCapturedPayment({ captureId })).result.status).toBe('REFUNDED');
    expect(await refusalOf(refund(captureId))).toBe('422 CAPTURE_FULLY_REFUNDED');
    expect((await sdk.payments.getRefund({ refundId: first.id ?? '' })).result.customId).toBe('operation-1');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'captured 2000', 'refunded 500', 'refunded 1500']);
  });

  it('of the whole needs no body', async () => {
    const { authorizationId } = await authorised();
    const captureId = (await capture(authorizationId)).result.id ?? '';
    const { result } = await sdk.payments.refundCapturedPayment({ captureId });
    expect(result.status).toBe('COMPLETED');
    expect(result.amount).toBeUndefined(); // nobody preferred all of it
  });

  it('that fails or waits has moved nothing yet', async () => {
    const { authorizationId, paymentId } = await authorised();
    const captureId = (await capture(authorizationId)).result.id ?? '';
    sandbox.faults.add({ provider: 'paypal', operation: 'refund', kind: 'refund_failed' });
    expect((await refund(captureId, '5.00')).result.status).toBe('FAILED');
    sandbox.faults.add({ provider: 'paypal', operation: 'refund', kind: 'refund_pending' });
    expect((await refund(captureId, '20.00')).result.status).toBe('PENDING');
    expect(await refusalOf(refund(captureId, '1.00'))).toBe('422 CAPTURE_FULLY_REFUNDED'); // it is spoken for
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'captured 2000']);
    sandbox.clock.advance(3_600_000);
    expect((await sdk.payments.getCapturedPayment({ captureId })).result.status).toBe('REFUNDED');
    expect(kindsOf(paymentId)).toEqual(['authorised 2000', 'captured 2000', 'refunded 2000']);
  });
});

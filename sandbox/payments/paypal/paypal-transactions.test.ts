import { CheckoutPaymentIntent } from '@paypal/paypal-server-sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from '../payment-sandbox.ts';
import { openPayPalSdk, type PayPalSdk } from './paypal-sdk.ts';

const dayMs = 24 * 3_600_000;
const prefer = 'return=representation';
let sandbox: PaymentSandbox;
let sdk: PayPalSdk;

beforeAll(async () => {
  sandbox = await startPaymentSandbox();
  sdk = openPayPalSdk(sandbox.settings);
});
afterAll(() => sandbox.close());

async function captured(customId: string, value: string) {
  const purchaseUnits = [{ customId, invoiceId: `invoice-${customId}`, amount: { currencyCode: 'EUR', value } }];
  const body = { intent: CheckoutPaymentIntent.Authorize, purchaseUnits };
  const id = (await sdk.orders.createOrder({ body })).result.id ?? '';
  sandbox.pay(id);
  const order = (await sdk.orders.authorizeOrder({ id, prefer })).result;
  const authorizationId = order.purchaseUnits?.[0]?.payments?.authorizations?.[0]?.id ?? '';
  const { result } = await sdk.payments.captureAuthorizedPayment({ authorizationId });
  return { authorizationId, captureId: result.id ?? '' };
}

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

it('lists captures and refunds of a time, page by page', async () => {
  const first = await captured('p-1', '10.00');
  const second = await captured('p-2', '20.00');
  const refundBody = { amount: { currencyCode: 'EUR', value: '4.00' }, customId: 'operation-1' };
  const refund = await sdk.payments.refundCapturedPayment({ captureId: first.captureId, body: refundBody });
  const search = { startDate: ago(dayMs), endDate: ago(-dayMs), fields: 'transaction_info' };
  const { result } = await sdk.search.searchTransactions(search);
  const infos = result.transactionDetails?.map(({ transactionInfo }) => transactionInfo) ?? [];
  expect(infos).toMatchObject([
    {
      transactionId: first.captureId,
      transactionEventCode: 'T0006',
      transactionAmount: { value: '10.00', currencyCode: 'EUR' },
      transactionStatus: 'S',
      customField: 'p-1',
      invoiceId: 'invoice-p-1',
      paypalReferenceId: first.authorizationId,
    },
    { transactionId: second.captureId, transactionAmount: { value: '20.00' } },
    {
      transactionId: refund.result.id,
      transactionEventCode: 'T1107',
      transactionAmount: { value: '-4.00' },
      paypalReferenceId: first.captureId,
    },
  ]);
  const page = (await sdk.search.searchTransactions({ ...search, pageSize: 2, page: 2 })).result;
  expect(page).toMatchObject({ totalItems: 3, totalPages: 2, page: 2 });
  expect(page.transactionDetails?.map(({ transactionInfo }) => transactionInfo?.transactionId)).toEqual([
    refund.result.id,
  ]);
});

it('leaves out what happened at another time', async () => {
  const { captureId } = await captured('p-3', '30.00');
  sandbox.clock.advance(10 * dayMs);
  const idsOf = async (startDate: string, endDate: string) =>
    (await sdk.search.searchTransactions({ startDate, endDate })).result.transactionDetails?.map(
      ({ transactionInfo }) => transactionInfo?.transactionId,
    );
  expect(await idsOf(ago(9 * dayMs), ago(0))).toEqual([]);
  expect(await idsOf(ago(11 * dayMs), ago(9 * dayMs))).toContain(captureId); // for whoever looks from outside it was ten days ago
});

it.each([
  ['more than 31 days', { start_date: ago(40 * dayMs), end_date: ago(0) }],
  ['an end before its start', { start_date: ago(0), end_date: ago(dayMs) }],
  ['no seconds', { start_date: '2026-01-01T00:00Z', end_date: '2026-01-02T00:00:00Z' }],
  ['no end', { start_date: ago(0) }],
  ['a page of nothing', { start_date: ago(dayMs), end_date: ago(0), page_size: '0' }],
])('refuses %s', async (_, query) => {
  const response = await sdk.fetch(`/v1/reporting/transactions?${new URLSearchParams(query)}`);
  expect([response.status, ((await response.json()) as { name: string }).name]).toEqual([400, 'INVALID_REQUEST']);
});

import { dayMs } from './paypal-account.ts';
import { type Amount, writeAmount } from './paypal-amounts.ts';
import type { PayPalCapture, PayPalRefund } from './paypal-objects.ts';
import { PayPalRefusal } from './paypal-refusal.ts';
import { feeOf, type Wire } from './paypal-representations.ts';

export interface TransactionSearch {
  start_date?: string;
  end_date?: string;
  page?: string;
  page_size?: string;
  transaction_id?: string;
  transaction_type?: string;
  fields?: string;
}

interface Row {
  at: number;
  info: Record<string, unknown>;
}

/** The account's statement: money that came and went, oldest first. */
export function searchTransactions(wire: Wire, query: TransactionSearch, fromWire: (time: Date) => Date) {
  const start = timeOf(query.start_date, 'start_date');
  const end = timeOf(query.end_date, 'end_date');
  if (end < start || Number(end) - Number(start) > 31 * dayMs)
    throw PayPalRefusal.invalid('INVALID_PARAMETER_VALUE', 'end_date');
  const pageSize = countOf(query.page_size, 'page_size', 100, 500);
  const page = countOf(query.page, 'page', 1, 1_000_000);
  const from = Number(fromWire(start));
  const until = Number(fromWire(end));
  const { captures, refunds } = wire.account.objects;
  const rows = [
    ...[...captures.values()].filter(({ status }) => status !== 'DECLINED').map((capture) => captureRow(wire, capture)),
    ...[...refunds.values()].filter(({ status }) => status !== 'FAILED').map((refund) => refundRow(wire, refund)),
  ]
    .filter(
      ({ at, info }) =>
        at >= from &&
        at <= until &&
        (query.transaction_id === undefined || info.transaction_id === query.transaction_id) &&
        (query.transaction_type === undefined || info.transaction_event_code === query.transaction_type),
    )
    .sort((one, other) => one.at - other.at);
  const shown = rows.slice((page - 1) * pageSize, page * pageSize);
  return {
    transaction_details: shown.map(({ info }) => ({ transaction_info: info })),
    account_number: 'SANDBOXSHOP01',
    start_date: start.toISOString(),
    end_date: end.toISOString(),
    last_refreshed_datetime: wire.time(wire.account.nowMs()),
    page,
    total_items: rows.length,
    total_pages: Math.ceil(rows.length / pageSize),
    links: [],
  };
}

function captureRow(wire: Wire, capture: PayPalCapture): Row {
  const status = { PENDING: 'P', REFUNDED: 'V', DECLINED: 'D', COMPLETED: 'S', PARTIALLY_REFUNDED: 'S' }[
    capture.status
  ];
  const reference = capture.authorisationId ?? capture.orderId;
  const row = rowOf(wire, 'T0006', capture, reference, capture.authorisationId === null ? 'ODR' : 'TXN', status);
  return { ...row, info: { ...row.info, fee_amount: writeAmount(negative(feeOf(capture.amount))) } };
}

function refundRow(wire: Wire, refund: PayPalRefund): Row {
  const outgoing = { ...refund, amount: negative(refund.amount) };
  return rowOf(wire, 'T1107', outgoing, refund.captureId, 'TXN', refund.status === 'PENDING' ? 'P' : 'S');
}

function rowOf(
  wire: Wire,
  code: string,
  source: Pick<PayPalCapture, 'id' | 'amount' | 'createdAt' | 'updatedAt' | 'customId' | 'invoiceId'>,
  referenceId: string,
  referenceType: string,
  status: string,
): Row {
  return {
    at: source.createdAt,
    info: {
      paypal_account_id: 'SANDBOXPAYER1',
      transaction_id: source.id,
      paypal_reference_id: referenceId,
      paypal_reference_id_type: referenceType,
      transaction_event_code: code,
      transaction_initiation_date: wire.time(source.createdAt),
      transaction_updated_date: wire.time(source.updatedAt),
      transaction_amount: writeAmount(source.amount),
      transaction_status: status,
      ...(source.customId !== null && { custom_field: source.customId }),
      ...(source.invoiceId !== null && { invoice_id: source.invoiceId }),
    },
  };
}

function negative({ units, currency }: Amount): Amount {
  return { units: -units, currency };
}

function timeOf(text: string | undefined, field: string): Date {
  if (text === undefined) throw PayPalRefusal.invalid('MISSING_REQUIRED_PARAMETER', field);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(text) || Number.isNaN(Date.parse(text)))
    throw PayPalRefusal.invalid('INVALID_PARAMETER_SYNTAX', field);
  return new Date(text);
}

function countOf(text: string | undefined, field: string, usual: number, most: number): number {
  if (text === undefined) return usual;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw PayPalRefusal.invalid('INVALID_PARAMETER_VALUE', field);
  return count;
}

import { outcomeKinds } from '../../sandbox/payments/fault-script.ts';
import type { LedgerEntry, LedgerEntryKind } from '../../sandbox/payments/ledger.ts';
import type { OrderStatus } from '../../src/domain/order-status.ts';
import type {
  PaymentOperationState,
  PaymentOperationType,
  PaymentProvider,
  PaymentStatus,
} from '../../src/domain/payment.ts';
import type { StormScene } from './storm-scene.ts';

/** All that the engine and the provider's own account say of one order. */
export interface OrderFacts {
  number: number;
  key: string;
  status: OrderStatus;
  failureReason: string | null;
  totalMinor: number;
  payment: {
    provider: PaymentProvider;
    status: PaymentStatus;
    checkoutReference: string | null;
    capturedMinor: number;
    refundedMinor: number;
    syncNo: number;
    syncedNo: number;
    syncFailures: number;
    nextSyncAt: string | null;
    hasLease: boolean;
  } | null;
  operations: {
    id: string;
    type: PaymentOperationType;
    seq: number;
    state: PaymentOperationState;
    amountMinor: number;
    errorKind: string | null;
    errorCode: string | null;
    askedCount: number;
  }[];
  events: { type: string; actor: string; at: number; reason: string | null }[];
  ledger: LedgerEntry[];
  /** What the provider was to decline by the script, and has. */
  declined: string[];
}

export async function readOrderFacts({ database, sandbox }: StormScene): Promise<OrderFacts[]> {
  const rows = await database.query<Omit<OrderFacts, 'ledger' | 'declined'>>(`
    SELECT o.number::int AS number, o.idempotency_key AS key, o.status, o.failure_reason AS "failureReason", o.total_minor::int AS "totalMinor",
      (SELECT json_build_object('provider', p.provider, 'status', p.status, 'checkoutReference', p.checkout_reference,
         'capturedMinor', p.captured_minor, 'refundedMinor', p.refunded_minor, 'syncNo', p.sync_no, 'syncedNo', p.synced_no,
         'syncFailures', p.sync_failures, 'nextSyncAt', p.next_sync_at, 'hasLease', coalesce(p.lease_until > now(), false))
       FROM payments p WHERE p.id = o.id) AS payment,
      (SELECT coalesce(json_agg(json_build_object('id', a.id, 'type', a.type, 'seq', a.seq, 'state', a.state, 'amountMinor', a.amount_minor,
         'errorKind', a.error_kind, 'errorCode', a.error_code, 'askedCount', a.asked_count) ORDER BY a.created_at, a.seq), '[]')
       FROM payment_operations a WHERE a.payment_id = o.id) AS operations,
      (SELECT coalesce(json_agg(json_build_object('type', e.type, 'actor', e.actor, 'at', e.at, 'reason', e.reason) ORDER BY e.at), '[]') FROM (
         SELECT type, actor, extract(epoch FROM at) * 1000 AS at, detail->>'reason' AS reason FROM order_events WHERE order_number = o.number
         UNION ALL
         SELECT type, actor, extract(epoch FROM at) * 1000, coalesce(detail->>'reason', detail->>'code') FROM payment_events WHERE payment_id = o.id
       ) e) AS events
    FROM orders o ORDER BY o.number`);
  const byOrder = Map.groupBy(sandbox.ledger.entries(), ({ orderNumber }) => orderNumber);
  const declines = sandbox.faults.met().filter(({ kind }) => outcomeKinds.some((each) => each === kind));
  return rows.map((row) => ({
    ...row,
    ledger: byOrder.get(row.number) ?? [],
    declined: declines.filter(({ orderNumber }) => orderNumber === row.number).map(({ operation }) => operation),
  }));
}

export const entriesOf = ({ ledger }: OrderFacts, kind: LedgerEntryKind) =>
  ledger.filter((entry) => entry.kind === kind);

export const sumOf = (entries: readonly { amountMinor: number }[]) =>
  entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0);

/** Holds that are neither taken, let go nor over. */
export const openHolds = (facts: OrderFacts) =>
  entriesOf(facts, 'authorised').length -
  entriesOf(facts, 'captured').length -
  entriesOf(facts, 'voided').length -
  entriesOf(facts, 'expired').length;

/** The provider said no where the script wants it to: that is no fault of anybody's, and for a manager to see to. */
export const wasDeclined = ({ declined }: OrderFacts, operation: 'capture' | 'refund') => declined.includes(operation);

/** Everything about an order on a few lines, for whoever has to find out why. */
export function tellOrder({ ledger, events, operations, payment, ...order }: OrderFacts): string {
  return [
    `order ${JSON.stringify(order)}`,
    `  payment ${JSON.stringify(payment)}`,
    ...operations.map((operation) => `  asked ${JSON.stringify(operation)}`),
    ...events.map(({ at, ...event }) => `  ${new Date(at).toISOString()} ${JSON.stringify(event)}`),
    ...ledger.map(({ at, kind, amountMinor, reference }) => `  ${at} provider: ${kind} ${amountMinor} ${reference}`),
  ].join('\n');
}

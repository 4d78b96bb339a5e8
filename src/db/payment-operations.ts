import { z } from 'zod';
import type { Money } from '../domain/money.ts';
import {
  type PaymentOperationType,
  paymentOperationStateSchema,
  paymentOperationTypeSchema,
} from '../domain/payment.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

const operationRow = z
  .object({
    id: z.uuid(),
    paymentId: z.uuid(),
    type: paymentOperationTypeSchema,
    seq: z.number(),
    idempotencyKey: z.string(),
    amount_minor: int8,
    currency: z.string(),
    state: paymentOperationStateSchema,
    requestedBy: z.string(),
    reason: z.string().nullable(),
    errorKind: z.string().nullable(),
    errorCode: z.string().nullable(),
    errorMessage: z.string().nullable(),
    askedCount: z.number(),
    firstAskedAt: time.transform((ms) => new Date(ms)).nullable(),
    createdAt: time.transform((ms) => new Date(ms)),
  })
  .transform(({ amount_minor, currency, ...row }) => ({
    ...row,
    amount: { amountMinor: amount_minor, currency } satisfies Money as Money,
  }));
/** Something that a provider was asked for, or will be. */
export type PaymentOperation = z.infer<typeof operationRow>;

const columns = sql.fragment`
  id, payment_id AS "paymentId", type, seq, idempotency_key AS "idempotencyKey", amount_minor, currency, state,
  requested_by AS "requestedBy", reason, error_kind AS "errorKind", error_code AS "errorCode", error_message AS "errorMessage",
  asked_count AS "askedCount", first_asked_at AS "firstAskedAt", created_at AS "createdAt"`;

/** Those that have not ended, and the last one of each type; oldest first. */
export function listCurrentOperations(db: Db, paymentId: string): Promise<readonly PaymentOperation[]> {
  return db.any(sql.type(operationRow)`
    SELECT ${columns} FROM payment_operations operation
    WHERE payment_id = ${paymentId}
      AND (state IN ('requested', 'unknown')
           OR seq = (SELECT max(seq) FROM payment_operations latest WHERE latest.payment_id = ${paymentId} AND latest.type = operation.type))
    ORDER BY created_at, seq
  `);
}

export interface OperationRequest {
  paymentId: string;
  type: PaymentOperationType;
  amount: Money;
  requestedBy: string;
  reason: string | null;
  /** The Idempotency-Key of the request that asks for it. */
  requestKey?: string | null;
}

/** Writes down what will be asked. The key is made of the payment, the type and the sequence, and stays with it for good. */
export function insertOperation(db: Db, request: OperationRequest): Promise<PaymentOperation> {
  const { paymentId, type, amount } = request;
  return db.one(sql.type(operationRow)`
    INSERT INTO payment_operations (payment_id, type, seq, idempotency_key, amount_minor, currency, requested_by, reason, request_key)
    SELECT ${paymentId}, ${type}, next.seq, 'twolane-' || ${paymentId}::text || '-' || ${type}::text || '-' || next.seq,
      ${amount.amountMinor}, ${amount.currency}, ${request.requestedBy}, ${request.reason}, ${request.requestKey ?? null}
    FROM (SELECT coalesce(max(seq), 0) + 1 AS seq FROM payment_operations WHERE payment_id = ${paymentId} AND type = ${type}) AS next
    RETURNING ${columns}
  `);
}

/** Committed before the provider is asked: from now on it may have happened. */
export async function noteAsked(db: Db, operationId: string): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE payment_operations SET state = 'unknown', asked_count = asked_count + 1, first_asked_at = coalesce(first_asked_at, now())
    WHERE id = ${operationId} AND state IN ('requested', 'unknown')
  `);
}

export async function endOperation(
  db: Db,
  operationId: string,
  end:
    | { state: 'succeeded'; providerReference: string | null }
    | { state: 'failed'; kind: string; code: string; message: string },
): Promise<void> {
  const failure = end.state === 'failed' ? end : null;
  const reference = end.state === 'succeeded' ? end.providerReference : null;
  await db.query(sql.type(nothing)`
    UPDATE payment_operations SET state = ${end.state}, finished_at = now(), provider_reference = coalesce(${reference}, provider_reference),
      error_kind = ${failure?.kind ?? null}, error_code = ${failure?.code ?? null}, error_message = ${failure?.message ?? null}
    WHERE id = ${operationId} AND state IN ('requested', 'unknown')
  `);
}

/** It surely had no effect: as if it had not been asked. */
export async function noteWithoutEffect(db: Db, { id, state }: Pick<PaymentOperation, 'id' | 'state'>): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE payment_operations SET state = ${state}, asked_count = asked_count - 1,
      first_asked_at = CASE WHEN asked_count > 1 THEN first_asked_at END
    WHERE id = ${id} AND state = 'unknown'
  `);
}

/** What was asked and has shown no effect for so long that it will have none. Not refunds: they are owed until they are clearly done or refused. */
export async function endUnheardOperations(db: Db, operationIds: readonly string[]): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE payment_operations SET state = 'failed', finished_at = now(), error_kind = 'superseded', error_code = 'no_effect_seen',
      error_message = 'Nothing came of it.'
    WHERE id = ANY (${sql.array([...operationIds], 'uuid')}) AND state IN ('requested', 'unknown') AND type <> 'refund'
  `);
}

/** Refunds that failed at the provider, whatever we had heard of them; gives those of which that is new. */
export function failRefunds(
  db: Db,
  paymentId: string,
  operationIds: readonly string[],
): Promise<readonly PaymentOperation[]> {
  return db.any(sql.type(operationRow)`
    UPDATE payment_operations SET state = 'failed', finished_at = now(), error_kind = 'declined', error_code = 'refund_failed',
      error_message = 'The money did not arrive and came back.'
    WHERE payment_id = ${paymentId} AND id = ANY (${sql.array([...operationIds], 'uuid')}) AND type = 'refund' AND state <> 'failed'
    RETURNING ${columns}
  `);
}

const refundSums = z.object({ open: int8, done: int8 });

/** What refunds add up to that are on their way, and those that are done. */
export function sumRefunds(db: Db, paymentId: string): Promise<z.infer<typeof refundSums>> {
  return db.one(sql.type(refundSums)`
    SELECT coalesce(sum(amount_minor) FILTER (WHERE state IN ('requested', 'unknown')), 0)::int8 AS open,
           coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0)::int8 AS done
    FROM payment_operations WHERE payment_id = ${paymentId} AND type = 'refund'
  `);
}

/** The refund that this request has made before. */
export function findRefundByKey(db: Db, paymentId: string, requestKey: string): Promise<PaymentOperation | null> {
  return db.maybeOne(sql.type(operationRow)`
    SELECT ${columns} FROM payment_operations WHERE payment_id = ${paymentId} AND request_key = ${requestKey}
  `);
}

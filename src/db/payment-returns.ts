import { type PaymentSync, requestPaymentSyncs } from './payments.ts';
import { type Db, nothing, sql } from './sql.ts';

/**
 * Asks for a look at a payment whose customer is back. None while one is asked for already, or the last one is younger than this: the
 * page that asks is open to everybody. Call `addToOutbox` with the answer in the same transaction.
 */
export async function requestSyncAfterReturn(
  transaction: Db,
  paymentId: string,
  quietMs: number,
): Promise<readonly PaymentSync[]> {
  // Locked before it is judged, so that of many who come at once, one asks.
  const { rowCount } = await transaction.query(sql.type(nothing)`
    SELECT FROM payments
    WHERE id = ${paymentId} AND sync_no = synced_no AND updated_at < now() - ${quietMs}::float8 * interval '1 millisecond' FOR UPDATE
  `);
  return rowCount === 0 ? [] : requestPaymentSyncs(transaction, [paymentId]);
}

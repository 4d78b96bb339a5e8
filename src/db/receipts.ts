import { z } from 'zod';
import { firstIdSince } from './payment-figures.ts';
import { type Db, sql, time } from './sql.ts';

const receiptRow = z
  .object({ paymentId: z.uuid(), objectKey: z.string(), sha256: z.string(), madeAt: time })
  .transform(({ madeAt, ...row }) => ({ ...row, madeAt: new Date(madeAt) }));
/** Where the PDF of a captured payment lies in the files store. */
export type Receipt = z.infer<typeof receiptRow>;

const columns = sql.fragment`payment_id AS "paymentId", object_key AS "objectKey", sha256, made_at AS "madeAt"`;

export function findReceipt(db: Db, paymentId: string): Promise<Receipt | null> {
  return db.maybeOne(sql.type(receiptRow)`SELECT ${columns} FROM receipts WHERE payment_id = ${paymentId}`);
}

/** Null when there is one already: another process was faster, and its file has the same name. */
export function insertReceipt(
  db: Db,
  { paymentId, objectKey, sha256, bytes }: { paymentId: string; objectKey: string; sha256: string; bytes: number },
): Promise<Receipt | null> {
  return db.maybeOne(sql.type(receiptRow)`
    INSERT INTO receipts (payment_id, object_key, sha256, bytes) VALUES (${paymentId}, ${objectKey}, ${sha256}, ${bytes})
    ON CONFLICT DO NOTHING RETURNING ${columns}
  `);
}

/** Of one whose file had to be written anew: its place and its content may be others. */
export function replaceReceipt(
  db: Db,
  { paymentId, objectKey, sha256, bytes }: { paymentId: string; objectKey: string; sha256: string; bytes: number },
): Promise<Receipt> {
  return db.one(sql.type(receiptRow)`
    UPDATE receipts SET object_key = ${objectKey}, sha256 = ${sha256}, bytes = ${bytes} WHERE payment_id = ${paymentId} RETURNING ${columns}
  `);
}

/** Longer than the hold of an order lasts that is captured only when it is complete. */
const placedWithinDays = 30;

/** What was captured lately and has no receipt, although there was time for one. */
export function listMissingReceipts(
  db: Db,
  { capturedAfterMs, settledMs, limit }: { capturedAfterMs: number; settledMs: number; limit: number },
): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ id: z.uuid() }))`
    SELECT p.id FROM payments p
    WHERE p.id >= ${firstIdSince(placedWithinDays)} AND p.captured_minor > 0
      AND p.captured_at BETWEEN now() - ${capturedAfterMs}::float8 * interval '1 millisecond' AND now() - ${settledMs}::float8 * interval '1 millisecond'
      AND NOT EXISTS (SELECT FROM receipts r WHERE r.payment_id = p.id)
    ORDER BY p.captured_at LIMIT ${limit}
  `);
}

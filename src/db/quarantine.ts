import { z } from 'zod';
import type { Money } from '../domain/money.ts';
import { type QuarantineKind, quarantineKindSchema } from '../domain/quarantine.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

export interface QuarantineCase {
  paymentId: string | null;
  webhookEventId: string | null;
  kind: QuarantineKind;
  expected: Money | null;
  found: Money | null;
  /** For people: what does not agree. */
  detail: string;
}

/** Puts aside what does not agree with the ledger; false when the same is there already. */
export async function quarantine(db: Db, one: QuarantineCase): Promise<boolean> {
  const { rowCount } = await db.query(sql.type(nothing)`
    INSERT INTO quarantine (payment_id, webhook_event_id, kind, expected_minor, expected_currency, found_minor, found_currency, detail)
    VALUES (${one.paymentId}, ${one.webhookEventId}, ${one.kind}, ${one.expected?.amountMinor ?? null}, ${one.expected?.currency ?? null},
      ${one.found?.amountMinor ?? null}, ${one.found?.currency ?? null}, ${one.detail})
    ON CONFLICT DO NOTHING
  `);
  return rowCount === 1;
}

export function isPaymentQuarantined(db: Db, paymentId: string): Promise<boolean> {
  return db.oneFirst(sql.type(z.object({ exists: z.boolean() }))`
    SELECT EXISTS (SELECT FROM quarantine WHERE payment_id = ${paymentId} AND webhook_event_id IS NULL AND state = 'open') AS exists
  `);
}

const caseRow = z
  .object({
    id: z.uuid(),
    paymentId: z.uuid().nullable(),
    orderNumber: int8.nullable(),
    webhookEventId: z.uuid().nullable(),
    provider: z.string(),
    kind: quarantineKindSchema,
    expectedMinor: int8.nullable(),
    expectedCurrency: z.string().nullable(),
    foundMinor: int8.nullable(),
    foundCurrency: z.string().nullable(),
    detail: z.string(),
    state: z.enum(['open', 'released', 'discarded']),
    decidedBy: z.string().nullable(),
    decidedAt: time.nullable(),
    createdAt: time,
    eventType: z.string().nullable(),
  })
  .transform(({ expectedMinor, expectedCurrency, foundMinor, foundCurrency, ...row }) => ({
    ...row,
    expected: moneyOf(expectedMinor, expectedCurrency),
    found: moneyOf(foundMinor, foundCurrency),
  }));
export type StoredQuarantineCase = z.infer<typeof caseRow>;

const moneyOf = (amountMinor: number | null, currency: string | null): Money | null =>
  amountMinor === null || currency === null ? null : { amountMinor, currency };

const columns = sql.fragment`
  q.id, q.payment_id AS "paymentId", p.order_number AS "orderNumber", q.webhook_event_id AS "webhookEventId",
  coalesce(p.provider, e.provider) AS provider, q.kind, q.expected_minor AS "expectedMinor", q.expected_currency AS "expectedCurrency",
  q.found_minor AS "foundMinor", q.found_currency AS "foundCurrency", q.detail, q.state, q.decided_by AS "decidedBy",
  q.decided_at AS "decidedAt", q.created_at AS "createdAt", e.type AS "eventType"`;
const tables = sql.fragment`
  quarantine q LEFT JOIN payments p ON p.id = q.payment_id LEFT JOIN webhook_events e ON e.id = q.webhook_event_id`;

/** Open ones first, then the newest. */
export function listQuarantine(db: Db, limit: number): Promise<readonly StoredQuarantineCase[]> {
  return db.any(sql.type(caseRow)`
    SELECT ${columns} FROM ${tables} ORDER BY q.state = 'open' DESC, q.webhook_event_id IS NULL DESC, q.created_at DESC LIMIT ${limit}
  `);
}

export function findQuarantineCase(db: Db, id: string): Promise<StoredQuarantineCase | null> {
  return db.maybeOne(sql.type(caseRow)`SELECT ${columns} FROM ${tables} WHERE q.id = ${id}`);
}

/** False when somebody has decided already. */
export async function decideQuarantineCase(
  db: Db,
  id: string,
  state: 'released' | 'discarded',
  decidedBy: string,
): Promise<boolean> {
  const { rowCount } = await db.query(sql.type(nothing)`
    UPDATE quarantine SET state = ${state}, decided_by = ${decidedBy}, decided_at = now() WHERE id = ${id} AND state = 'open'
  `);
  return rowCount === 1;
}

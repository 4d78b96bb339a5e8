import { z } from 'zod';
import { type Db, nothing, sql, time } from './sql.ts';

const serviceSchema = z.enum(['mail', 'media', 'files', 'backups']);
/** What orders can do without, for a while. */
export type Service = z.infer<typeof serviceSchema>;

const faultRow = z
  .object({
    service: serviceSchema,
    code: z.string(),
    message: z.string(),
    hasPaused: z.boolean(),
    since: time,
    seenAt: time,
  })
  .transform(({ since, seenAt, ...row }) => ({ ...row, since: new Date(since), seenAt: new Date(seenAt) }));
export type ServiceFault = z.infer<typeof faultRow>;
const faultColumns = sql.fragment`service, code, message, has_paused AS "hasPaused", since, seen_at AS "seenAt"`;

/**
 * Each time it is met. However many processes meet it, it is one fault: it began with the first of them, and of a queue that one
 * of them has stopped no other may forget that. True when it was not known yet.
 */
export function reportServiceFault(
  db: Db,
  fault: { service: Service; code: string; message: string; hasPaused?: boolean },
): Promise<boolean> {
  const { service, code, message, hasPaused = false } = fault;
  return db.oneFirst(sql.type(z.object({ isNew: z.boolean() }))`
    INSERT INTO service_faults AS known (service, code, message, has_paused) VALUES (${service}, ${code}, ${message}, ${hasPaused})
    ON CONFLICT (service) DO UPDATE SET
      code = excluded.code, message = excluded.message, has_paused = known.has_paused OR excluded.has_paused, seen_at = now()
    RETURNING xmax = 0 AS "isNew"
  `);
}

/** Once it works again. False when there was none. */
export async function clearServiceFault(db: Db, service: Service): Promise<boolean> {
  const { rowCount } = await db.query(sql.type(nothing)`DELETE FROM service_faults WHERE service = ${service}`);
  return rowCount === 1;
}

/** The queue that was stopped for it goes on; whether that helps is not known yet. */
export async function noteQueueStarted(transaction: Db, service: Service): Promise<void> {
  await transaction.query(sql.type(nothing)`UPDATE service_faults SET has_paused = false WHERE service = ${service}`);
}

/** Until the transaction ends, nobody else reports or clears it. Null when there is none; then somebody may report one. */
export function lockServiceFault(transaction: Db, service: Service): Promise<ServiceFault | null> {
  return transaction.maybeOne(sql.type(faultRow)`
    SELECT ${faultColumns} FROM service_faults WHERE service = ${service} FOR UPDATE
  `);
}

/**
 * However long ago one was seen last: its finder may wait out a long backoff, or be gone, and neither has mended anything. Who
 * starts anew tries at once, and clears it.
 */
export function listServiceFaults(db: Db): Promise<readonly ServiceFault[]> {
  return db.any(sql.type(faultRow)`
    SELECT ${faultColumns} FROM service_faults ORDER BY service
  `);
}

import { z } from 'zod';
import { type AuditAction, type AuditActor, type AuditEvent, auditActionSchema } from '../domain/audit.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

export interface AuditEntry {
  action: AuditAction;
  actor: AuditActor;
  /** What it was done to: `order 1001`, `bot 3`, an account's e-mail. */
  subject: string | null;
  detail?: Record<string, string | number | boolean | null>;
  /** Where the request came from. */
  address?: string | undefined;
}

/** Call inside the transaction of what is audited: both are kept, or neither is. */
export async function recordAudit(db: Db, { action, actor, subject, detail, address }: AuditEntry): Promise<void> {
  await db.query(sql.type(nothing)`
    INSERT INTO audit_events (action, actor_kind, actor_id, actor_name, subject, detail, address)
    VALUES (${action}, ${actor.kind}, ${actor.kind === 'user' ? actor.id : null}, ${actor.name}, ${subject},
            ${detail ? sql.jsonb(detail) : null}, ${address ?? null})
  `);
}

const auditRow = z
  .object({
    id: int8,
    at: time,
    action: auditActionSchema,
    kind: z.enum(['user', 'admin', 'system']),
    actor_id: z.uuid().nullable(),
    name: z.string(),
    subject: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()).nullable(),
    address: z.string().nullable(),
  })
  .transform(
    ({ id, at, kind, actor_id, name, ...row }): AuditEvent => ({
      ...row,
      id: String(id),
      at: new Date(at).toISOString(),
      actor: { kind, id: actor_id, name },
    }),
  );

export interface AuditQuery {
  action?: AuditAction | undefined;
  /** An e-mail or the admin's name, without case. */
  actor?: string | undefined;
  /** Only events before this one. */
  beforeId?: string | undefined;
  limit: number;
}

/** Newest first. */
export function listAuditEvents(
  db: Db,
  { action, actor, beforeId, limit }: AuditQuery,
): Promise<readonly AuditEvent[]> {
  return db.any(sql.type(auditRow)`
    SELECT id, at, action, actor_kind AS kind, actor_id, actor_name AS name, subject, detail, address FROM audit_events
    WHERE (${action ?? null}::text IS NULL OR action = ${action ?? null})
      AND (${actor ?? null}::text IS NULL OR lower(actor_name) = lower(${actor ?? null}))
      AND (${beforeId ?? null}::bigint IS NULL OR id < ${beforeId ?? null}::bigint)
    ORDER BY id DESC LIMIT ${limit}
  `);
}

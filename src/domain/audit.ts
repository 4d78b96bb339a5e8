import { z } from 'zod';

/** What is written down with who did it. Never renamed: people search for them. */
export const auditActions = [
  'account_registered',
  'account_added',
  'account_closed',
  'backup_requested',
  'backup_restored',
  'bot_added',
  'bot_removed',
  'order_cancelled',
  'order_refunded',
  'order_retried',
  'password_changed',
  'password_set',
  'payment_retried',
  'payments_reconciled',
  'products_imported',
  'quarantine_discarded',
  'quarantine_released',
  'queues_rebuilt',
  'role_changed',
  'session_ended_by_reuse',
  'sign_in',
  'sign_in_delayed',
  'sign_out',
] as const;
export const auditActionSchema = z.enum(auditActions).meta({ id: 'AuditAction' });
export type AuditAction = z.infer<typeof auditActionSchema>;

/** An account, the admin of Basic auth, or the engine itself. */
export type AuditActor =
  | { kind: 'user'; id: string; name: string }
  | { kind: 'admin'; name: string }
  | { kind: 'system'; name: string };

export const auditEventSchema = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    action: auditActionSchema,
    actor: z
      .object({ kind: z.enum(['user', 'admin', 'system']), id: z.uuid().nullable(), name: z.string() })
      .describe('An account, the admin of Basic auth, or the engine itself'),
    subject: z.string().nullable().describe('What it was done to: `order 1042`, `bot 3`, an e-mail'),
    detail: z.record(z.string(), z.unknown()).nullable(),
    address: z.string().nullable().describe('Where the request came from'),
  })
  .meta({ id: 'AuditEvent', description: 'Who did what, and when.' });
export type AuditEvent = z.infer<typeof auditEventSchema>;

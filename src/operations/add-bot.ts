import type { DatabasePool } from 'slonik';
import { recordAudit } from '../db/audit-events.ts';
import { insertBot } from '../db/bots.ts';
import { notify } from '../db/notify.ts';
import type { AuditActor } from '../domain/audit.ts';
import type { Bot } from '../domain/bot.ts';

/** A bot is a row; the host that hears of it first gives it a process. */
export async function addBot(
  { pool, announce }: { pool: DatabasePool; announce(): void },
  by: { actor: AuditActor; address: string },
): Promise<Bot> {
  const bot = await pool.transaction(async (transaction) => {
    const added = await insertBot(transaction);
    await recordAudit(transaction, { action: 'bot_added', subject: `bot ${added.number}`, ...by });
    return added;
  });
  await notify(pool, 'twolane_bots');
  announce();
  return bot;
}

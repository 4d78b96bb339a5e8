import type { DatabasePool } from 'slonik';
import { recordAudit } from '../db/audit-events.ts';
import { removeNewestBotRow } from '../db/bots.ts';
import { notify } from '../db/notify.ts';
import { giveBackOfBot } from '../db/order-returns.ts';
import type { AuditActor } from '../domain/audit.ts';
import type { Bot } from '../domain/bot.ts';
import { NoBotsError } from '../domain/errors.ts';

export interface RemovedBot {
  bot: Bot;
  returnedOrderNumber: number | null;
}

/** Destroys the newest bot; the order in its hands is pending again, in its place, with the same commit. Its host hears of it and lets go. */
export async function removeNewestBot(
  { pool, announce }: { pool: DatabasePool; announce(): void },
  by: { actor: AuditActor; address: string },
): Promise<RemovedBot> {
  const removed = await pool.transaction(async (transaction) => {
    const bot = await removeNewestBotRow(transaction);
    if (!bot) throw new NoBotsError();
    const [returned] = await giveBackOfBot(transaction, bot.id, 'manager');
    const detail = { returnedOrderNumber: returned?.orderNumber ?? null };
    await recordAudit(transaction, { action: 'bot_removed', subject: `bot ${bot.number}`, detail, ...by });
    return { number: bot.number, returnedOrderNumber: returned?.orderNumber ?? null };
  });
  await notify(pool, 'twolane_bots');
  announce();
  return {
    bot: { number: removed.number, status: 'unassigned', orderNumber: null, startedAt: null, host: null },
    returnedOrderNumber: removed.returnedOrderNumber,
  };
}

import type { DatabasePool } from 'slonik';
import { insertBot } from '../db/bots.ts';
import { notify } from '../db/notify.ts';
import type { Bot } from '../domain/bot.ts';

/** A bot is a row; the host that hears of it first gives it a process. */
export async function addBot({ pool, announce }: { pool: DatabasePool; announce(): void }): Promise<Bot> {
  const bot = await insertBot(pool);
  await notify(pool, 'twolane_bots');
  announce();
  return bot;
}

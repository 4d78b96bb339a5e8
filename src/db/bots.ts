import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { BotCounts } from '../domain/board.ts';
import type { Bot } from '../domain/bot.ts';
import { isoTime } from '../domain/time.ts';
import { type Db, int8, sql, time } from './sql.ts';

const botRow = z
  .object({
    number: z.number(),
    is_assigned: z.boolean(),
    order_number: int8.nullable(),
    started_at: time.nullable(),
    host: z.string().nullable(),
  })
  .transform(
    (row): Bot => ({
      number: row.number,
      status: row.order_number !== null ? 'processing' : row.is_assigned ? 'idle' : 'unassigned',
      orderNumber: row.order_number,
      startedAt: isoTime(row.started_at),
      host: row.host,
    }),
  );

/** A robot of one's own has no host: its lease is its own, under its own id. */
const isHostOfBot = sql.fragment`host.id = coalesce(bot.host_id, bot.id)`;

export function listBots(db: Db): Promise<readonly Bot[]> {
  return db.any(sql.type(botRow)`
    SELECT bot.number, host.id IS NOT NULL AS is_assigned, o.number AS order_number, o.started_at, host.name AS host
    FROM bots bot
    LEFT JOIN bot_hosts host ON ${isHostOfBot} AND host.lease_until >= now()
    LEFT JOIN orders o ON o.bot_id = bot.id AND o.status = 'processing'
    WHERE bot.deleted_at IS NULL ORDER BY bot.number
  `);
}

export function countBots(db: Db): Promise<BotCounts> {
  return db.one(sql.type(z.object({ total: int8, idle: int8, processing: int8 }))`
    SELECT count(*) AS total,
           count(*) FILTER (WHERE o.id IS NULL AND host.id IS NOT NULL) AS idle,
           count(*) FILTER (WHERE o.id IS NOT NULL) AS processing
    FROM bots bot
    LEFT JOIN bot_hosts host ON ${isHostOfBot} AND host.lease_until >= now()
    LEFT JOIN orders o ON o.bot_id = bot.id AND o.status = 'processing'
    WHERE bot.deleted_at IS NULL
  `);
}

export async function insertBot(db: Db): Promise<Bot> {
  const number = await db.oneFirst(sql.type(z.object({ number: z.number() }))`
    INSERT INTO bots (id) VALUES (${uuidv7()}) RETURNING number
  `);
  return { number, status: 'unassigned', orderNumber: null, startedAt: null, host: null };
}

const removedBotRow = z.object({ id: z.uuid(), number: z.number() });

/** Marks the newest hosted bot as removed. Two removals at once take two bots. Null when there is none. */
export function removeNewestBotRow(transaction: Db): Promise<z.infer<typeof removedBotRow> | null> {
  return transaction.maybeOne(sql.type(removedBotRow)`
    UPDATE bots SET deleted_at = now(), updated_at = now(), host_id = NULL
    WHERE id = (SELECT id FROM bots WHERE deleted_at IS NULL AND user_id IS NULL ORDER BY number DESC LIMIT 1 FOR UPDATE)
      AND deleted_at IS NULL
    RETURNING id, number
  `);
}

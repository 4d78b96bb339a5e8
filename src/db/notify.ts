import pg from 'pg';
import type { Logger } from '../log.ts';
import { type Db, nothing, sql } from './sql.ts';

/**
 * `twolane_events`: the board has something new. `twolane_bots`: bots or their orders were changed from outside.
 * `twolane_sessions`: these sessions (ids, by commas) ended, or their account changed. `twolane_outbox`: jobs wait to be handed over.
 */
export type Channel = 'twolane_events' | 'twolane_bots' | 'twolane_sessions' | 'twolane_outbox';

/** Never inside a hot transaction: NOTIFY makes commits queue behind each other (28.7k → 6.6k a second, measured). */
export async function notify(db: Db, channel: Channel, payload = ''): Promise<void> {
  await db.query(sql.type(nothing)`SELECT pg_notify(${channel}, ${payload})`);
}

export interface Listener {
  close(): Promise<void>;
}

const reconnectMs = 250;

/** Calls `onNotice` for each notice, and with null after each (re)connection, when some may have been missed. */
export function listen(
  databaseUrl: string,
  channels: readonly Channel[],
  onNotice: (channel: Channel, payload: string | null) => void,
  log: Logger,
): Listener {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const connect = async () => {
    const next = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'twolane listener',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    client = next;
    const again = (error: Error | undefined) => {
      next.removeAllListeners();
      next.on('error', () => undefined); // a second error of a connection that is already given up
      if (isClosed || client !== next) return;
      client = undefined;
      if (error) log.warn({ error: error.message }, 'listener connection lost');
      timer = setTimeout(() => void connect(), reconnectMs);
    };
    next.on('error', again);
    next.on('end', () => again(undefined));
    next.on('notification', ({ channel, payload }) => onNotice(channel as Channel, payload ?? ''));
    try {
      await next.connect();
      for (const channel of channels) await next.query(`LISTEN ${channel}`);
      for (const channel of channels) onNotice(channel, null);
    } catch (error) {
      again(error as Error);
      await next.end().catch(() => undefined); // it never came up
    }
  };
  void connect();

  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await client?.end();
    },
  };
}

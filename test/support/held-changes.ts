import pg from 'pg';
import type { TestDatabase } from './database.ts';
import { until } from './until.ts';

export interface HeldChanges {
  /** Until so many transactions wait for a lock: at the change that is held, or for one that is held there. */
  untilWaiting(transactions: number): Promise<void>;
  letGo(): Promise<void>;
}

const lock = 2_011;

/** Stops every transaction just before it changes such a row, until it is let go: a race runs in the order that its test wants. */
export async function holdChanges(
  { url, query }: TestDatabase,
  { table, event, when = 'true' }: { table: string; event: 'INSERT' | 'UPDATE'; when?: string },
): Promise<HeldChanges> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`
    SELECT pg_advisory_lock(${lock});
    CREATE OR REPLACE FUNCTION hold_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(${lock});
      RETURN NEW;
    END $$;
    CREATE TRIGGER held BEFORE ${event} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION hold_change();
  `);
  return {
    async untilWaiting(transactions) {
      await until(`${transactions} wait`, async () => {
        const waiting = await query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        return waiting.length >= transactions;
      });
    },
    async letGo() {
      await client.query(`SELECT pg_advisory_unlock(${lock})`);
      await client.query(`DROP TRIGGER held ON ${table}`);
      await client.end();
    },
  };
}

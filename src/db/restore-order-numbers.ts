import type pg from 'pg';

/** Fewer are never left out: a quiet day is followed by a loud one. */
const leastNumbers = 1_000;
const roundedTo = 1_000;

/**
 * Numbers that were given out after the snapshot are on receipts and in the books of providers, and the backup knows nothing of them.
 * So they are left out: twice as many as a day had before the snapshot, for each day since then. Gives the number of the next order.
 */
export async function skipOrderNumbers(client: pg.Client, snapshotAt: string): Promise<number> {
  const { rows } = await client.query<{ next: string }>(
    `WITH day AS (
       SELECT count(*) AS orders FROM orders WHERE placed_at > $1::timestamptz - interval '24 hours'
     ), lost AS (
       SELECT greatest($2, 2 * orders * greatest(1, ceil(extract(epoch FROM now() - $1::timestamptz) / 86400))) AS numbers FROM day
     ), given AS (
       SELECT greatest(last_value, (SELECT max(number) FROM orders)) AS number FROM order_number_seq
     )
     SELECT setval('order_number_seq', (ceil((given.number + lost.numbers) / $3) * $3)::bigint) + 1 AS next FROM given, lost`,
    [snapshotAt, leastNumbers, roundedTo],
  );
  return Number(rows[0]?.next);
}

import type { TestDatabase } from '../support/database.ts';

/** A refused request may leave a trace in the audit and the failed sign-ins, and a robot that calls keeps its lease. Nothing else. */
const tables = ['users', 'products', 'orders', 'order_items', 'order_events', 'bots', 'sessions', 'refresh_tokens'];

/** Each row has the number of the transaction that wrote it: another row, another version or one row less is another sum. */
const sums = tables
  .map(
    (table) =>
      `SELECT '${table}' AS name, count(*) AS rows, coalesce(sum(xmin::text::numeric), 0) AS versions FROM ${table}`,
  )
  .join(' UNION ALL ');

export async function readStored(database: TestDatabase): Promise<string> {
  const rows = await database.query<{ name: string; rows: string; versions: string }>(sums);
  return rows.map(({ name, rows: count, versions }) => `${name} ${count} ${versions}`).join('\n');
}

/** Which tables are not as they were. */
export function changesBetween(before: string, after: string): string[] {
  const former = before.split('\n');
  return after.split('\n').flatMap((line, index) => (line === former[index] ? [] : [line.split(' ')[0] ?? '']));
}

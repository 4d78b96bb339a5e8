import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { csvFormat } from '../backup/csv-rows.ts';

export interface CopiedTable {
  name: string;
  columns: readonly string[];
}

const target = ({ name, columns }: CopiedTable) =>
  `${pg.escapeIdentifier(name)} (${columns.map((column) => pg.escapeIdentifier(column)).join(', ')})`;

/** All rows in the order in which they lie, which is the one they were loaded in: a table that was restored gives the same bytes again. */
export function copyOut(client: pg.Client, table: CopiedTable): Readable {
  const rows = client.query(copyTo(`COPY ${target(table)} TO STDOUT ${csvFormat}`));
  rows.on('error', ignoreSecond);
  return rows;
}

/** Gives the number of rows. */
export async function copyIn(client: pg.Client, table: CopiedTable, csv: AsyncIterable<Buffer>): Promise<number> {
  const rows = client.query(copyFrom(`COPY ${target(table)} FROM STDIN ${csvFormat}`));
  rows.on('error', ignoreSecond);
  await pipeline(csv, rows);
  return rows.rowCount;
}

/**
 * A session that is ended says so twice, by its server and by its socket, and perhaps behind the last row: then nobody else listens any
 * more, and the process would end. Whoever asks it for something next is told.
 */
const ignoreSecond = () => {};

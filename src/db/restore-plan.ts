import pg from 'pg';
import type { Catalogue, CatalogueSequence, CatalogueTable } from './table-catalogue.ts';

/** Rows that mean something to one cluster or one queue store alone. Anywhere else they would be lies. */
const rowsLeftOut: Record<string, string> = {
  queue_stores: 'they name the queue store that was filled last; without them the queues are rebuilt from the orders',
  event_cursors: 'they count in transaction ids of that cluster; followers begin anew, and do nothing twice',
};

export interface RestorePlan {
  /** What no migration makes, then what would be in the way of loading. */
  before: string[];
  tables: { name: string; columns: string[]; estimatedRows: number }[];
  after: string[];
  leftOut: { what: string; why: string }[];
}

const quoted = pg.escapeIdentifier;

/**
 * How the rows come back, in statements that name no schema. The schema is that of the migrations; indexes and foreign keys are taken away
 * before the rows come and made again afterwards, as the server that was backed up has them: faster, and in no order that matters.
 */
export function planRestore(catalogue: Catalogue, migrations: readonly { text: string }[]): RestorePlan {
  const leftOut: RestorePlan['leftOut'] = [];
  const tables: RestorePlan['tables'] = [];
  const strangers: string[] = [];
  const ours = new Set(migrations.flatMap(({ text }) => tablesMade(text)));
  for (const table of catalogue.tables) {
    const isStranger = !ours.has(table.name);
    const unknown = isStranger && table.columns.find(({ isBuiltIn }) => !isBuiltIn);
    if (unknown) {
      leftOut.push({ what: `table ${table.name}`, why: `no migration makes it, nor the type of its ${unknown.name}` });
      continue;
    }
    if (isStranger) strangers.push(makeTable(table));
    const why = rowsLeftOut[table.name];
    if (why) {
      leftOut.push({ what: `rows of ${table.name}`, why });
      continue;
    }
    leftOut.push(...columnsLeftOut(table));
    const columns = table.columns.filter((column) => whyLeftOut(column) === null).map(({ name }) => name);
    if (columns.length > 0) tables.push({ name: table.name, columns, estimatedRows: table.estimatedRows });
  }
  for (const schema of catalogue.otherSchemas)
    leftOut.push({
      what: `schema ${schema}`,
      why: 'it is not ours, or a queue store: queues are rebuilt from the orders',
    });

  const isKept = (name: string) => !leftOut.some(({ what }) => what === `table ${name}`);
  const constraints = catalogue.constraints.filter(({ table }) => isKept(table));
  const [unique, foreign] = [
    constraints.filter(({ kind }) => kind === 'unique'),
    constraints.filter(({ kind }) => kind === 'foreign'),
  ];
  const triggers = (verb: string) => tables.map(({ name }) => `ALTER TABLE ${quoted(name)} ${verb} TRIGGER USER`);
  const indexes = catalogue.indexes.filter(({ table }) => isKept(table));
  return {
    before: [
      ...catalogue.sequences.map(({ name }) => `CREATE SEQUENCE IF NOT EXISTS ${quoted(name)}`),
      ...strangers,
      ...[...foreign, ...unique].map(
        ({ table, name }) => `ALTER TABLE ${quoted(table)} DROP CONSTRAINT IF EXISTS ${quoted(name)}`,
      ),
      ...indexes.map(({ name }) => `DROP INDEX IF EXISTS ${quoted(name)}`),
      // Rows come back as they were: nothing is to be refused, or done once more, because of them.
      ...triggers('DISABLE'),
    ],
    tables,
    after: [
      ...indexes.map(({ definition }) => definition),
      ...[...unique, ...foreign].map(
        ({ table, name, definition }) => `ALTER TABLE ${quoted(table)} ADD CONSTRAINT ${quoted(name)} ${definition}`,
      ),
      ...triggers('ENABLE'),
    ],
    leftOut,
  };
}

/** What migrations make, by their texts. A table that this overlooks gets a statement that then does nothing. */
const tablesMade = (text: string) =>
  [...text.matchAll(/CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)"?/gi)].map(([, name]) => name);

/** Its columns, for the data's sake: what else a table of somebody else has to hold to is not ours to know. */
function makeTable({ name, columns }: CatalogueTable): string {
  const lines = columns.map((column) => {
    const value = column.isGenerated ? `GENERATED ALWAYS AS (${column.default}) STORED` : `DEFAULT ${column.default}`;
    return `  ${quoted(column.name)} ${column.type}${column.default === null ? '' : ` ${value}`}${column.isRequired ? ' NOT NULL' : ''}`;
  });
  return `CREATE TABLE IF NOT EXISTS ${quoted(name)} (\n${lines.join(',\n')}\n)`;
}

function whyLeftOut({ type, isGenerated }: CatalogueTable['columns'][number]): string | null {
  if (isGenerated) return 'Postgres computes it from the others';
  return type === 'xid8' ? 'transaction ids are of one cluster alone; its default gives it anew' : null;
}

const columnsLeftOut = ({ name, columns }: CatalogueTable) =>
  columns.flatMap((column) => {
    const why = whyLeftOut(column);
    return why === null ? [] : [{ what: `column ${name}.${column.name}`, why }];
  });

/** As `nextval` would go on from it. */
export const setSequence = ({ name, lastValue, isCalled }: CatalogueSequence): string =>
  `SELECT pg_catalog.setval(${pg.escapeLiteral(quoted(name))}, ${lastValue}, ${isCalled})`;

import pg from 'pg';
import { restoreSettings, sessionSettings } from '../db/backup-session.ts';
import { setSequence } from '../db/restore-plan.ts';
import { type BackupContents, piecePath, scriptPath } from './backup-contents.ts';
import { csvFormat } from './csv-rows.ts';
import type { BackedUpTable } from './manifest.ts';

const quoted = pg.escapeIdentifier;
const literal = pg.escapeLiteral;

/** For whoever finds this in ten years, with nothing but Postgres at hand. */
export function writeReadme({ name, snapshotAt }: BackupContents): string {
  return `Backup ${name}: the database of twolane as it was at ${snapshotAt}.

To restore it by hand, into an empty database of a Postgres that is at least as new:

  createdb restored
  psql -v ON_ERROR_STOP=1 -d restored -f ${scriptPath}

Run it in this folder: it reads tables/ from here. It is one transaction: it ends with COMMIT, or leaves nothing.

  ${scriptPath}    the schema, the rows, then indexes and foreign keys; at the end it counts the rows
  contents.json  the same for programs: migrations, columns, statements, sequences
  tables/        one folder for each table, its rows as CSV in pieces: UTF-8, no header line, NULL is nothing at all
                 and an empty text is "", a quote or backslash within quotes has a backslash before it
`;
}

/** For stock psql: what a restore by this program does, in the same order. Comes last in the tar, when the pieces are counted. */
export function writeRestoreScript(contents: BackupContents, tables: readonly BackedUpTable[]): string {
  const { name, snapshotAt, migrations, before, after, sequences } = contents;
  const section = (title: string, lines: string[]) => [`\n-- ${title}`, ...lines];
  return [
    `-- Backup ${name} of ${snapshotAt}. Into an empty database, from this folder:`,
    `--   psql -v ON_ERROR_STOP=1 -f ${scriptPath}`,
    `\\set ON_ERROR_STOP on`,
    'BEGIN;',
    ...[...sessionSettings, ...restoreSettings].map((setting) => `${setting};`),
    'SET search_path = public;',
    `DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')) THEN
    RAISE EXCEPTION 'this database is not empty: restore into a new one';
  END IF;
END $$;`,
    ...section('The schema', []),
    ...migrations.flatMap(({ name, text }) => [`\n-- ${name}`, text.trimEnd()]),
    ...section(
      'What is in the way of loading',
      before.map((statement) => `${statement};`),
    ),
    ...section(
      'The rows',
      tables.flatMap((table) => Array.from({ length: table.pieces }, (_, index) => copyLine(table, index + 1))),
    ),
    ...section(
      'The sequences',
      sequences.map((sequence) => `${setSequence(sequence)};`),
    ),
    ...section(
      'Indexes, foreign keys and triggers',
      after.map((statement) => `${statement};`),
    ),
    ...section(
      'As many rows as were backed up?',
      tables.map(({ name, rows }) => countCheck(name, rows)),
    ),
    'ANALYZE;',
    'COMMIT;',
    '',
  ].join('\n');
}

/** One line: psql reads no further. */
const copyLine = ({ name, columns }: BackedUpTable, piece: number) =>
  `\\copy ${quoted(name)} (${columns.map(quoted).join(', ')}) FROM ${literal(piecePath(name, piece))} WITH ${csvFormat}`;

const countCheck = (name: string, rows: number) => `DO $$ BEGIN
  IF (SELECT count(*) FROM ${quoted(name)}) <> ${rows} THEN
    RAISE EXCEPTION ${literal(`table ${name} should have ${rows} rows`).replaceAll('%', '%%')};
  END IF;
END $$;`;

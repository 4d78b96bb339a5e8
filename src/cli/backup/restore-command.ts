import type { Command } from 'commander';
import { createLog } from '../../log.ts';
import { restoreBackup } from '../../operations/restore-backup.ts';
import { type RestoredEngine, restoreEngine } from '../../operations/restore-engine.ts';
import { asCalled } from '../called-as.ts';
import { countText } from '../count-text.ts';
import { durationText } from '../duration.ts';
import { BadUsageError, CliError } from '../failures.ts';
import { examples, wantsJson } from '../program-options.ts';
import { confirm } from '../prompt.ts';
import { paint, printable, type Terminal, writeJson, writeLine } from '../terminal.ts';
import { toldInWords } from './backup-failures.ts';
import { openBackupStore, readSettings } from './backup-settings.ts';
import { agoText, bytesText, minuteText } from './backup-text.ts';
import { type PickedBackup, pickBackup } from './pick-backup.ts';
import { type ProgressDisplay, showProgress } from './show-progress.ts';

interface RestoreOptions {
  to: string;
  intoEmptySchema?: string;
  yes?: boolean;
}

export function addRestoreCommand(backup: Command, terminal: Terminal): void {
  backup
    .command('restore')
    .description('restore a backup into an empty database, and fill the queues from it')
    .argument('[name]', 'which one, or latest: the last verified', 'latest')
    .requiredOption('--to <url>', 'the database, such as postgres://user:password@host:5432/twolane')
    .option('--into-empty-schema <name>', 'only the data, for looking at it: beside what the database holds')
    .option('--yes', 'do not ask first')
    .addHelpText(
      'after',
      `\nStop the engine first. What is not empty is refused, and a backup that is broken leaves nothing behind. With REDIS_URL or REDIS_HOST
set, the queues there are emptied and filled anew: their jobs are of another time. Newer migrations run afterwards.
Encrypted backups need BACKUP_ENCRYPTION_KEY.${examples(
        ['twolane backup restore --to postgres://user@host:5432/twolane', 'all of it, the last verified one'],
        ['twolane backup restore latest --to … --into-empty-schema yesterday', 'to look at, beside the data of today'],
      )}`,
    )
    .action(async (name: string, options: RestoreOptions, command: Command) => {
      assertDatabaseUrl(options.to);
      assertSchemaName(options.intoEmptySchema);
      const json = wantsJson(command);
      const isAsked = !options.yes && !json && terminal.stdin.isTTY === true;
      if (!options.yes && !isAsked) throw new BadUsageError('nobody is there to be asked first', ['say --yes']);
      const config = await readSettings(terminal, options.to);
      const store = openBackupStore(config);
      try {
        const keys = config.backup.encryptionKeys;
        const picked = await toldInWords(terminal, () => pickBackup(store, name, { hasKeys: keys.length > 0 }));
        const talk = json ? terminal.stderr : terminal.stdout;
        for (const line of planLines(picked, options, { hasRedis: config.redisUrl !== null, hasKeys: keys.length > 0 }))
          writeLine(talk, line);
        if (isAsked && !(await confirm(terminal, 'Restore it?'))) throw new CliError('nothing was restored');
        const progress = showProgress(talk);
        const call = { name: picked.name, targetUrl: options.to, signal: terminal.signal, onProgress: progress.show };
        if (options.intoEmptySchema !== undefined) {
          const schema = options.intoEmptySchema;
          const { restoreMs } = await shown(progress, () =>
            toldInWords(terminal, () => restoreBackup({ store, keys }, { ...call, schema })),
          );
          if (json) return writeJson(terminal.stdout, { name: picked.name, schema, restoreMs });
          return writeLine(
            terminal.stdout,
            `restored into the schema ${printable(schema)} in ${durationText(restoreMs)}; DROP SCHEMA ${printable(quoted(schema))} CASCADE takes it away`,
          );
        }
        const queues = { redisUrl: config.redisUrl, prefix: config.queuePrefix };
        const log = createLog('silent', 'restore');
        const restored = await shown(progress, () =>
          toldInWords(terminal, () =>
            restoreEngine({ store, keys, queues, log }, { ...call, by: 'twolane backup restore' }),
          ),
        );
        const { manifest, ...outcome } = restored;
        if (json) return writeJson(terminal.stdout, { name: picked.name, snapshotAt: manifest.snapshotAt, ...outcome });
        for (const line of outcomeLines(terminal, outcome, manifest.snapshotAt)) writeLine(terminal.stdout, line);
      } finally {
        store.close();
      }
    });
}

async function shown<T>(progress: ProgressDisplay, work: () => Promise<T>): Promise<T> {
  try {
    const outcome = await work();
    progress.end();
    return outcome;
  } finally {
    progress.close();
  }
}

/** So that what is pasted into psql means this schema. */
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** What is not one is not said again: there may be a password in it. */
function assertDatabaseUrl(text: string): void {
  const url = URL.parse(text);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2)
    throw new BadUsageError('--to takes the address of a database', [
      'such as postgres://user:password@host:5432/twolane',
    ]);
}

/** Postgres would cut a longer one, and keeps those of `pg_` for itself. */
function assertSchemaName(name: string | undefined): void {
  if (name === undefined) return;
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > 63 || name.startsWith('pg_'))
    throw new BadUsageError('--into-empty-schema takes a name of 1 to 63 bytes that does not begin with pg_');
}

function planLines(
  { name, manifest, verification }: PickedBackup,
  options: RestoreOptions,
  { hasRedis, hasKeys }: { hasRedis: boolean; hasKeys: boolean },
): string[] {
  const { snapshotAt, totals, encryption } = manifest;
  const { host, pathname } = new URL(options.to);
  const place = options.intoEmptySchema === undefined ? '' : `, schema ${printable(options.intoEmptySchema)}`;
  return [
    `backup   ${name}, of ${minuteText(snapshotAt)} (${agoText(snapshotAt, new Date())})`,
    `holds    ${countText(totals.rows, 'row')} in ${countText(totals.tables, 'table')}, ${bytesText(totals.storedBytes)}${encryption ? ', encrypted' : ''}, ${verification ? `verified; a restore took ${durationText(verification.restoreMs)}` : 'NOT VERIFIED'}`,
    ...(encryption === null && hasKeys
      ? ['         NOT ENCRYPTED: whoever can write to the store may have made it']
      : []),
    `into     ${printable(`${host}${pathname}`)}${place}, which must be empty`,
    ...(options.intoEmptySchema === undefined && hasRedis
      ? ['queues   those of this engine in Redis are emptied and filled anew']
      : []),
  ];
}

function outcomeLines(
  terminal: Terminal,
  { restoreMs, migrations, rebuilt, nextOrderNumber }: Omit<RestoredEngine, 'manifest'>,
  snapshotAt: string,
): string[] {
  const lanes = Object.entries(rebuilt).map(([lane, count]) => `${lane} ${count}`);
  return [
    `${paint(terminal.stdout, 'green', 'restored')} in ${durationText(restoreMs)}${migrations.length > 0 ? `; migrated: ${migrations.join(', ')}` : ''}`,
    `queues filled from it: ${lanes.join(', ')}`,
    `new orders begin at ${nextOrderNumber}: those after ${minuteText(snapshotAt)} may have had the numbers before it`,
    '',
    'What comes next:',
    '  1. start the engine on this database, named by DATABASE_URL; orders that were due go on by themselves',
    asCalled(terminal, '  2. `twolane payments reconcile --since 7d`'),
    `     finds what was paid, captured and given back after ${minuteText(snapshotAt)}: orders of that time are not in the backup`,
  ];
}

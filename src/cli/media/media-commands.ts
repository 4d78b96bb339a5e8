import type { Command } from 'commander';
import type { S3Settings } from '../../config-stores.ts';
import { deleteMedia, findUnusedMedia } from '../../operations/prune-media.ts';
import { compareMedia, sendAssets } from '../../operations/sync-media.ts';
import { type Asset, type AssetIndex, readAssets } from '../../storage/asset-index.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { countText } from '../count-text.ts';
import { examples, wantsJson } from '../program-options.ts';
import { showSending } from '../sending-bar.ts';
import { type Output, printable, type Terminal, writeJson, writeLine } from '../terminal.ts';
import { mediaFailure, readMediaSettings } from './media-store.ts';

/** What `--json` says of a sync. */
interface SyncReport {
  bucket: string;
  isDryRun: boolean;
  assets: number;
  /** Names of the files that the store lacked, and has now unless it was a dry run. */
  missing: string[];
  missingBytes: number;
  /** Keys of versions that nobody uses any more: deleted, unless it was a dry run. Null without --prune. */
  unused: string[] | null;
  /** Files that have no versioned name. */
  unread: AssetIndex['unread'];
}

interface SyncOptions {
  dryRun?: boolean;
  prune?: boolean;
}

export function addMediaCommands(program: Command, terminal: Terminal): void {
  const media = program
    .command('media')
    .description('bring pictures and sounds into the media store')
    .addHelpText('after', examples(['twolane media sync', 'what has changed in assets/']));
  media
    .command('sync')
    .description('send what the media store lacks of assets/; the server does the same when it starts')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--prune', 'delete versions that no asset has had for 30 days')
    .addHelpText(
      'after',
      '\nNeeds no server: MEDIA_S3_* are taken from the environment, and from .env where it is silent.' +
        '\nA file goes under a name of its content and is never sent twice. Without --prune nothing is deleted.\n' +
        examples(
          ['twolane media sync --dry-run', 'what does the store lack?'],
          ['twolane media sync', 'before a server with new pictures starts'],
          ['twolane media sync --prune --dry-run', 'which old versions would go?'],
        ),
    )
    .action(async (options: SyncOptions, command: Command) => {
      const json = wantsJson(command);
      const settings = await readMediaSettings(terminal);
      const report = await syncTo(settings, terminal, options, json ? terminal.stderr : terminal.stdout);
      if (json) writeJson(terminal.stdout, report);
      else writeReport(terminal.stdout, report);
    });
}

async function syncTo(
  settings: S3Settings,
  { signal }: Terminal,
  options: SyncOptions,
  talk: Output,
): Promise<SyncReport> {
  const assets = await readAssets();
  const { openObjectStore } = await import('../../storage/open-object-store.ts'); // slow to load: not for every command
  const store = openObjectStore(settings, { publicUrl: settings.endpoint, linkSecrets: null });
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>(); // Ctrl-C waits for no store that is silent
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([sync({ store, bucket: settings.bucket, assets, signal, talk }, options), stopped]);
  } catch (error) {
    throw mediaFailure(error, settings, signal);
  } finally {
    signal.removeEventListener('abort', stop);
    store.close();
  }
}

async function sync(
  deps: { store: ObjectStore; bucket: string; assets: AssetIndex; signal: AbortSignal; talk: Output },
  { dryRun: isDryRun = false, prune = false }: SyncOptions,
): Promise<SyncReport> {
  const { store, bucket, assets, signal, talk } = deps;
  const { stored, missing } = await compareMedia(store, assets.all);
  const unused = prune ? findUnusedMedia(assets.all, stored, new Date()) : null;
  if (!isDryRun && missing.length > 0) await sendAll(store, missing, signal, talk);
  if (!isDryRun && unused) await deleteMedia(store, unused, signal);
  return {
    bucket,
    isDryRun,
    assets: assets.all.length,
    missing: missing.map(({ name }) => name),
    missingBytes: missing.reduce((sum, { bytes }) => sum + bytes, 0),
    unused: unused?.map(({ key }) => key) ?? null,
    unread: assets.unread,
  };
}

async function sendAll(store: ObjectStore, missing: Asset[], signal: AbortSignal, talk: Output): Promise<void> {
  const progress = showSending(talk, {
    total: missing.length,
    things: missing.length === 1 ? 'file' : 'files',
    lineEach: 100,
  });
  let sent = 0;
  const onSent = () => {
    sent += 1;
    progress.show(sent);
  };
  try {
    await sendAssets(store, missing, { signal, onSent });
  } finally {
    progress.close();
  }
}

function writeReport(output: Output, report: SyncReport): void {
  const { bucket, isDryRun, assets, missing, missingBytes, unused, unread } = report;
  for (const { name, reason } of unread) writeLine(output, printable(`${name} passed over: ${reason}`));
  if (isDryRun) {
    for (const name of missing) writeLine(output, printable(`lacks ${name}`));
    for (const key of unused ?? []) writeLine(output, printable(`nobody uses ${key}`));
  }
  const size = missing.length > 0 ? ` (${Math.ceil(missingBytes / 1_000).toLocaleString('en')} kB)` : '';
  const sent = `${countText(missing.length, 'file')}${size} ${isDryRun ? 'would be sent' : 'sent'}`;
  const there = `${(assets - missing.length).toLocaleString('en')} there already`;
  const gone = unused
    ? `, ${countText(unused.length, 'old version')} ${isDryRun ? 'would be deleted' : 'deleted'}`
    : '';
  writeLine(output, printable(`bucket ${bucket}: ${sent}, ${there}${gone}${isDryRun ? '; nothing was done' : ''}`));
}

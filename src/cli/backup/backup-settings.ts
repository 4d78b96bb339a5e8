import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { type Config, ConfigError, readConfig } from '../../config.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { openObjectStore } from '../../storage/open-object-store.ts';
import { BadUsageError } from '../failures.ts';
import type { Terminal } from '../terminal.ts';

type Present = Terminal['env'];

/** For what needs no database: nothing connects to it. */
const noDatabase = 'postgres://127.0.0.1/none';

/**
 * The settings of the engine as its processes have them: the environment, then `.env` of this folder, then what `npm start` takes
 * where both are silent. `databaseUrl`: one that the command line names, or null for none.
 */
export async function readSettings(
  { env, projectFolder }: Pick<Terminal, 'env' | 'projectFolder'>,
  databaseUrl?: string | null,
): Promise<Config> {
  const file = await readEnvFile(path.join(projectFolder, '.env'));
  const present: Present = { ...file, ...Object.fromEntries(Object.entries(env).filter(([, value]) => value)) };
  const dataFolder = path.join(projectFolder, '.data');
  const isDemo = !present.ENV && existsSync(dataFolder);
  const named = databaseUrl === null ? noDatabase : databaseUrl;
  const hasDatabase = named || present.DATABASE_URL || present.DB_HOST;
  const demoUrl = hasDatabase || !isDemo ? undefined : await readDemoDatabase(path.join(dataFolder, 'run.json'));
  try {
    const config = readConfig({
      ...present,
      ...(isDemo && { ENV: 'development' }),
      ...((named ?? demoUrl) && { DATABASE_URL: named ?? demoUrl }),
    });
    return { ...config, stores: { ...config.stores, backups: inFolder(projectFolder, config.stores.backups) } };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [title = '', ...faults] = error.message.split('\n');
    const hints = faults.map((fault) => fault.trim());
    throw new BadUsageError(title.toLowerCase().replace(/:$/, ''), [
      ...hints,
      ...(isDemo && hints.some(isMissingDatabase) ? [demoHint] : []),
    ]);
  }
}

export const isMissingDatabase = (hint: string): boolean => hint.startsWith('DATABASE_URL (');
export const demoHint = 'the demo has one only while `npm start` runs';

/** The store of the backups. Connects to nothing yet. */
export function openBackupStore({ stores }: Config): ObjectStore {
  if (!stores.backups)
    throw new BadUsageError('no store for backups is named', [
      'set BACKUP_S3_ENDPOINT, BACKUP_S3_ACCESS_KEY_ID, BACKUP_S3_SECRET_ACCESS_KEY and BACKUP_S3_BUCKET, in the environment or in .env,',
      'or LOCAL_STORE_FOLDER for a folder, in which they lie under backups/',
    ]);
  return openObjectStore(stores.backups, { publicUrl: 'http://127.0.0.1', linkSecrets: null });
}

/** A relative one is meant from where the engine runs, not from where somebody types. */
function inFolder(projectFolder: string, store: Config['stores']['backups']): Config['stores']['backups'] {
  return store?.kind === 'directory' ? { ...store, folder: path.resolve(projectFolder, store.folder) } : store;
}

async function readEnvFile(file: string): Promise<Present> {
  try {
    return parseEnv(await readFile(file, 'utf8'));
  } catch {
    return {}; // none, or not ours to read
  }
}

const runFile = z.object({ databaseUrl: z.string().nullish() });

async function readDemoDatabase(file: string): Promise<string | undefined> {
  try {
    return runFile.parse(JSON.parse(await readFile(file, 'utf8'))).databaseUrl ?? undefined;
  } catch {
    return undefined; // no demo runs
  }
}

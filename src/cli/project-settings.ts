import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';
import type { Terminal } from './terminal.ts';

/** What a command shares with the server of the same folder. */
const names = ['ADMIN_USERNAME', 'ADMIN_PASSWORD', 'PORT'] as const;

/** The environment, and where it is silent what `npm start` takes from the folder's `.env`: good for a server on this machine. */
export async function withProjectSettings({
  env,
  projectFolder,
}: Pick<Terminal, 'env' | 'projectFolder'>): Promise<Terminal['env']> {
  const file = await readSettings(path.join(projectFolder, '.env'));
  return { ...env, ...Object.fromEntries(names.map((name) => [name, env[name] || file[name] || undefined])) };
}

/** All of it, for what a command does itself and not through a server. An empty variable says nothing. */
export async function withAllProjectSettings({
  env,
  projectFolder,
}: Pick<Terminal, 'env' | 'projectFolder'>): Promise<Terminal['env']> {
  const said = Object.fromEntries(Object.entries(env).filter(([, value]) => value));
  return { ...(await readSettings(path.join(projectFolder, '.env'))), ...said };
}

async function readSettings(file: string): Promise<Terminal['env']> {
  try {
    return parseEnv(await readFile(file, 'utf8'));
  } catch {
    return {}; // none, or not ours to read
  }
}

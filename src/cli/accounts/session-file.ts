import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { CliError } from '../failures.ts';
import type { Terminal } from '../terminal.ts';

/** One account signed in at one server. */
export const sessionSchema = z.object({
  /** The server's origin, `https://shop.example`. */
  server: z.string(),
  email: z.string(),
  accessToken: z.string(),
  /** Shortly before the access token ends, by this machine's clock. */
  renewAtMs: z.number(),
  refreshToken: z.string(),
  /** Of a sample account that nobody has signed in by hand: it decides nothing about who is meant. */
  isAutomatic: z.boolean(),
});
export type Session = z.infer<typeof sessionSchema>;

/** Where sessions are kept from one command to the next. */
export interface SessionStore {
  read(): Promise<Session[]>;
  /** Reads, edits and writes as one step, whoever else does the same. */
  change(edit: (sessions: Session[]) => Session[]): Promise<void>;
}

const fileSchema = z.object({ sessions: z.array(sessionSchema) });
/** Writing takes milliseconds: a lock this old belongs to a process that was killed. */
const staleLockMs = 5_000;
/** Nobody signs out the sample accounts of servers that are long gone. */
const automaticKeptMs = 86_400_000;

/** The user's own sessions.json, or only memory where there is no home to keep it in. */
export function openSessions(env: Terminal['env']): SessionStore {
  const folder = configFolder(env);
  return folder === undefined ? keepInMemory() : keepInFile(path.join(folder, 'sessions.json'));
}

export function keepInMemory(): SessionStore {
  let sessions: Session[] = [];
  return {
    read: async () => sessions,
    change: async (edit) => {
      sessions = edit(sessions);
    },
  };
}

function configFolder(env: Terminal['env']): string | undefined {
  if (env.TWOLANE_CONFIG_DIR) return path.resolve(env.TWOLANE_CONFIG_DIR);
  const home = env.HOME ?? env.USERPROFILE;
  const isUsable = env.XDG_CONFIG_HOME && path.isAbsolute(env.XDG_CONFIG_HOME); // its specification ignores relative ones
  const configHome = isUsable ? env.XDG_CONFIG_HOME : home && path.join(home, '.config');
  return configHome ? path.join(configHome, 'twolane') : undefined;
}

function keepInFile(file: string): SessionStore {
  const read = async (): Promise<Session[]> => {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
      throw fileFault(file, error);
    }
    const parsed = fileSchema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data.sessions;
    throw new CliError(`${file} is not what the CLI writes there`, [
      'remove it, and sign in again with `twolane login`',
    ]);
  };
  return {
    read,
    async change(edit) {
      const lock = `${file}.lock`;
      try {
        await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
        const next = await openAlone(lock);
        try {
          const kept = edit(await read()).filter(isWorthKeeping);
          await next.writeFile(`${JSON.stringify({ sessions: kept }, null, 2)}\n`);
          await next.close();
          await rename(lock, file); // the new content and the end of the lock in one step
        } catch (error) {
          await next.close();
          await rm(lock, { force: true });
          throw error;
        }
      } catch (error) {
        throw error instanceof CliError ? error : fileFault(file, error);
      }
    },
  };
}

/** The new file is also the lock: whoever can create it is alone, until it takes the place of the old one. */
async function openAlone(lock: string): Promise<FileHandle> {
  for (;;) {
    try {
      return await open(lock, 'wx', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const since = (await stat(lock).catch(() => undefined))?.mtimeMs; // undefined: it is gone by now
    if (since !== undefined && Date.now() - since > staleLockMs) await rm(lock, { force: true });
    else await delay(5 + Math.random() * 20);
  }
}

function isWorthKeeping({ isAutomatic, renewAtMs }: Session): boolean {
  return !isAutomatic || renewAtMs > Date.now() - automaticKeptMs;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fileFault(file: string, error: unknown): CliError {
  return new CliError(
    `sessions cannot be kept in ${file}`,
    [error instanceof Error ? error.message : String(error), 'TWOLANE_CONFIG_DIR names another folder'],
    undefined,
    { cause: error },
  );
}

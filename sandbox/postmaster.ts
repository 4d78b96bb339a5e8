import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Cluster } from './data-folder.ts';
import { programName } from './postgres-binaries.ts';
import { findProcess, findProcessesIn, waitUntil } from './running-process.ts';

export type Postmaster = { pid: number; port: number };

const startTimeoutMs = 60_000; // recovery after a crash can take this long on a slow disk
const fastShutdownMs = 15_000;
const logBytesKept = 5_000_000;

function readPidFile(clusterFolder: string): { pid: number; port: number; status: string } | undefined {
  const file = path.join(clusterFolder, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7]?.trim() ?? '' };
}

/** The postmaster of this cluster that is still running though whoever started it may be gone. */
export async function findPostmaster(clusterFolder: string): Promise<Postmaster | undefined> {
  let noted = readPidFile(clusterFolder);
  if (!noted) return undefined;
  if (isPostmasterOf(noted.pid, clusterFolder)) {
    // Starting or stopping just now: wait for the outcome.
    const settled = () => {
      noted = readPidFile(clusterFolder);
      return !noted || noted.status === 'ready' || !isPostmasterOf(noted.pid, clusterFolder);
    };
    await waitUntil(settled, startTimeoutMs);
    if (!noted) return undefined;
    if (isPostmasterOf(noted.pid, clusterFolder)) return { pid: noted.pid, port: noted.port };
  }
  await removeStalePidFile(clusterFolder);
  return undefined;
}

function isPostmasterOf(pid: number, clusterFolder: string): boolean {
  if (!findProcess(pid)?.commandLine.includes('postgres')) return false;
  if (process.platform === 'linux') return findProcessesIn(realpathSync(clusterFolder)).includes(pid);
  return findProcess(pid)?.commandLine.includes(clusterFolder) ?? false; // it is there as the option -D
}

/**
 * Postgres clears up after a dead postmaster itself, but takes a zombie or any other process under the old pid for a
 * living one. The file is also its guard against two postmasters: it goes only when nobody works in the folder any more.
 */
async function removeStalePidFile(clusterFolder: string): Promise<void> {
  const isPostgres = (pid: number) => findProcess(pid)?.commandLine.includes('postgres') ?? false;
  const remaining = () => findProcessesIn(realpathSync(clusterFolder)).filter(isPostgres);
  if (!(await waitUntil(() => remaining().length === 0, fastShutdownMs))) {
    throw new Error(`processes ${remaining().join(', ')} still work in ${clusterFolder} without their postmaster`);
  }
  rmSync(path.join(clusterFolder, 'postmaster.pid'), { force: true });
}

/** Starts a postmaster of its own process group: a Ctrl-C meant for us must not stop it before its clients have gone. */
export async function startPostmaster(
  { folder, binaries, user }: Cluster,
  port: number,
  settings: Record<string, string>,
): Promise<Postmaster & { child: ChildProcess }> {
  const logFile = `${folder}.log`;
  if (existsSync(logFile) && statSync(logFile).size > logBytesKept) renameSync(logFile, `${logFile}.old`);
  const log = openSync(logFile, 'a'); // a file, not a pipe: the postmaster may outlive us
  const logStart = statSync(logFile).size;
  const options = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '', // nobody uses it, and its path may be at most 107 bytes long
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...settings,
  };
  const child = spawn(
    path.join(binaries.folder, programName('postgres')),
    [
      '-D',
      folder,
      '-p',
      String(port),
      ...Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...user, cwd: '/', env: postgresEnvironment(), stdio: ['ignore', log, log], detached: true },
  );
  closeSync(log);
  let failure: string | undefined;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code, signal) => {
    failure ??= `it ended with ${signal ?? `code ${code}`}`;
  });
  // Like pg_ctl: line 8 of postmaster.pid. Its log would not do, settings can move it elsewhere.
  const isReady = () => readPidFile(folder)?.pid === child.pid && readPidFile(folder)?.status === 'ready';
  const inTime = await waitUntil(() => failure !== undefined || isReady(), startTimeoutMs);
  if (failure === undefined && inTime && child.pid !== undefined) {
    child.unref();
    return { pid: child.pid, port, child };
  }
  child.kill('SIGQUIT');
  const said = readFileSync(logFile).subarray(logStart).toString().trim().split('\n').slice(-5).join('\n');
  throw new Error(`Postgres did not start: ${failure ?? 'it was not ready in time'}. ${logFile} ends:\n${said}`);
}

/** Nothing of the caller's PG… settings, which are meant for another server. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, LC_ALL: 'C', TZ: 'UTC' };
}

/** Fast shutdown; if that takes too long, the immediate one, which costs a recovery at the next start and no data. */
export async function stopPostmaster(pid: number): Promise<void> {
  const isGone = () => findProcess(pid) === null;
  for (const [signal, waitMs] of [
    ['SIGINT', fastShutdownMs],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (isGone()) return;
    process.kill(pid, signal);
    if (await waitUntil(isGone, waitMs)) return;
  }
  throw new Error(`Postgres (pid ${pid}) does not stop`);
}

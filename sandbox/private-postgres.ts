import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Cluster, chooseCluster, openDataFolder, stateFolder } from './data-folder.ts';
import { findFreePort } from './free-port.ts';
import { findPostgresBinaries, openToUser, programName } from './postgres-binaries.ts';
import { findPostmaster, type Postmaster, postgresEnvironment, startPostmaster, stopPostmaster } from './postmaster.ts';
import { findProcess } from './running-process.ts';

export type PrivatePostgresOptions = {
  dataDir: string;
  /** Taken when it is free; otherwise, and without it, any free port. */
  port?: number;
  log?: (line: string) => void;
  /** Postgres settings, as with its option -c. */
  settings?: Record<string, string>;
};

export type PrivatePostgres = {
  /** The superuser's, of the database `postgres`. */
  url: string;
  port: number;
  pid: number;
  major: number;
  /** Where the data are: `dataDir`, or `movedTo`. */
  dataDir: string;
  /** Given when Postgres' own user cannot enter `dataDir`, which happens to root below a closed folder. */
  movedTo: string | null;
  /** It was still running from an earlier start. */
  adopted: boolean;
  /** The cluster was made by this start, so nothing is in it yet. */
  created: boolean;
  /** Leaves it running when it was started by another process that is still there. */
  stop(): Promise<void>;
};

/**
 * A Postgres of our own, on loopback, with its data in a folder of the project:
 * 1. a folder that Postgres' user can enter (as root it drops to an unprivileged one);
 * 2. the cluster that is there, with programs of its major version, or a new one;
 * 3. the postmaster that still runs on it (we were killed, it was not), or a new one.
 */
export async function startPrivatePostgres(options: PrivatePostgresOptions): Promise<PrivatePostgres> {
  const { dataDir, log = () => {}, settings = {} } = options;
  const { folder, user } = openDataFolder(dataDir);
  const cluster = chooseCluster(folder, findPostgresBinaries(), user);
  cluster.binaries = openToUser(cluster.binaries, cluster.user, path.join(stateFolder, 'binaries'));
  if (!cluster.exists) {
    log(`making a Postgres ${cluster.binaries.major} cluster in ${cluster.folder}`);
    createCluster(cluster);
  }

  const running = await findPostmaster(cluster.folder);
  const isGuest = running !== undefined && isStarterAlive(cluster.folder);
  if (running) log(`Postgres is still running (pid ${running.pid}), taking it over`);
  const postmaster = running ?? (await startOnFreePort(cluster, options.port, settings));
  if (!isGuest) noteStarter(cluster.folder);

  const password = readFileSync(passwordFile(cluster.folder), 'utf8').trim();
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${postmaster.port}/postgres`,
    port: postmaster.port,
    pid: postmaster.pid,
    major: cluster.binaries.major,
    dataDir: folder,
    movedTo: folder === path.resolve(dataDir) ? null : folder,
    adopted: running !== undefined,
    created: !cluster.exists,
    stop: async () => {
      if (isGuest) return;
      await stopPostmaster(postmaster.pid);
      rmSync(starterFile(cluster.folder), { force: true });
    },
  };
}

const passwordFile = (clusterFolder: string) => `${clusterFolder}.password`;
const starterFile = (clusterFolder: string) => `${clusterFolder}.starter`;

/** Made beside its place and moved there whole: a cluster that was cut short at birth is never taken for one. */
function createCluster({ folder, binaries, user }: Cluster): void {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  rmSync(passwordFile(folder), { force: true });
  writeFileSync(passwordFile(folder), `${randomBytes(18).toString('hex')}\n`, { mode: 0o600 });
  for (const entry of user ? [unfinished, passwordFile(folder)] : []) chownSync(entry, user?.uid ?? 0, user?.gid ?? 0);
  const locale =
    binaries.major >= 17
      ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'] // the same on every system
      : [`--locale=${process.platform === 'linux' ? 'C.UTF-8' : 'C'}`];
  const { status, stderr, error } = spawnSync(
    path.join(binaries.folder, programName('initdb')),
    [
      '-D',
      unfinished,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile(folder)}`,
      '-E',
      'UTF8',
      ...locale,
    ],
    { ...user, cwd: '/', env: postgresEnvironment(), encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`initdb failed in ${folder}: ${error?.message ?? stderr}`);
  renameSync(unfinished, folder);
}

/** Between finding a free port and taking it, somebody else may: then the next one. */
async function startOnFreePort(
  cluster: Cluster,
  wanted: number | undefined,
  settings: Record<string, string>,
): Promise<Postmaster> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort(wanted);
    try {
      return await startPostmaster(cluster, port, settings);
    } catch (error) {
      const isTaken = error instanceof Error && error.message.includes('could not bind');
      if (!isTaken || attempt === 3) throw error;
    }
  }
}

function noteStarter(clusterFolder: string): void {
  const starter = { pid: process.pid, startedAt: findProcess(process.pid)?.startedAt };
  writeFileSync(starterFile(clusterFolder), JSON.stringify(starter));
}

/** The process that started the postmaster; with its start time, since a pid alone may be another's by now. */
function isStarterAlive(clusterFolder: string): boolean {
  if (!existsSync(starterFile(clusterFolder))) return false;
  const noted = JSON.parse(readFileSync(starterFile(clusterFolder), 'utf8')) as { pid: number; startedAt: string }; // ours
  return noted.pid !== process.pid && findProcess(noted.pid)?.startedAt === noted.startedAt;
}

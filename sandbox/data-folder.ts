import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { canEnter, findUnprivilegedUser, type UserIds } from './unprivileged-user.ts';

/** Where root keeps what an unprivileged Postgres must reach, when the checkout itself is closed to it. */
export const stateFolder = '/var/lib/twolane';

/** The wanted folder, or one below the machine's state folder if Postgres' own user cannot enter the wanted one. */
export function openDataFolder(wanted: string): { folder: string; user: UserIds | undefined } {
  const absolute = path.resolve(wanted);
  const user = findUnprivilegedUser();
  mkdirSync(absolute, { recursive: true });
  if (canEnter(absolute, user)) return { folder: absolute, user };
  const folder = path.join(stateFolder, createHash('sha256').update(absolute).digest('hex').slice(0, 12));
  mkdirSync(folder, { recursive: true });
  for (const open of [stateFolder, folder]) chmodSync(open, 0o755); // whatever the umask says
  return { folder, user };
}

export type Cluster = { folder: string; binaries: PostgresBinaries; exists: boolean; user: UserIds | undefined };

/**
 * A cluster belongs to the major version that made it, and to the user who made it: once there, it decides both. Without
 * one, the first binaries do.
 */
export function chooseCluster(dataFolder: string, available: PostgresBinaries[], user: UserIds | undefined): Cluster {
  const majors = readdirSync(dataFolder)
    .map((name) => Number(/^pg-(\d+)$/.exec(name)?.[1]))
    .filter((major) => major > 0 && existsSync(path.join(dataFolder, `pg-${major}`, 'PG_VERSION')))
    .sort((a, b) => b - a);
  if (majors.length === 0) {
    const [binaries] = available;
    if (!binaries) throw new Error(nothingFound);
    return { folder: path.join(dataFolder, `pg-${binaries.major}`), binaries, exists: false, user };
  }
  for (const major of majors) {
    const binaries = available.find((candidate) => candidate.major === major);
    const folder = path.join(dataFolder, `pg-${major}`);
    if (binaries) return { folder, binaries, exists: true, user: ownerOf(folder, user) };
  }
  throw new Error(
    `the data in ${dataFolder} were made by Postgres ${majors.join(', ')}, which is not on this machine any more ` +
      `(there is: ${available.map(({ major }) => major).join(', ') || 'none'}). Install it again or point PG_BIN_DIR at it; ` +
      `to start without these data, move ${path.join(dataFolder, `pg-${majors[0]}`)} away.`,
  );
}

const nothingFound =
  'no Postgres found. Install one (Debian: apt-get install postgresql; macOS: brew install postgresql), point PG_BIN_DIR ' +
  'at the folder of its programs, let npm install its optional packages, or set DATABASE_URL to a running one.';

function ownerOf(clusterFolder: string, user: UserIds | undefined): UserIds | undefined {
  const { uid, gid } = statSync(clusterFolder);
  if (user) return uid === 0 ? user : { uid, gid };
  if (process.getuid && uid !== process.getuid()) {
    throw new Error(
      `the data in ${clusterFolder} belong to user ${uid}, this is user ${process.getuid()}: start as that one`,
    );
  }
  return undefined;
}

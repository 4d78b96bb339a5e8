import { spawnSync } from 'node:child_process';

export type UserIds = { uid: number; gid: number };

/** Postgres refuses to run as root: the user it runs as instead, or undefined where we are not root. */
export function findUnprivilegedUser(): UserIds | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const uid = readId('-u', name);
    const gid = readId('-g', name);
    if (uid && gid) return { uid, gid };
  }
  throw new Error('running as root, and there is neither a user `postgres` nor `nobody` to run Postgres as');
}

function readId(option: string, name: string): number | undefined {
  const { status, stdout } = spawnSync('id', [option, name], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}

/** Whether that user gets to this folder: a folder in it, or any above it, may be closed to others. */
export function canEnter(folder: string, user: UserIds | undefined): boolean {
  const { status } = spawnSync('/bin/sh', ['-c', 'cd -- "$0"', folder], { ...user, cwd: '/', stdio: 'ignore' });
  return status === 0;
}

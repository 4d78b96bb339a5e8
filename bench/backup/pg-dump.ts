import { execFile, spawnSync } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Lab } from '../lab/lab.ts';
import type { LabDatabase } from '../lab/lab-database.ts';

export interface PgTools {
  pgDump: string;
  pgRestore: string;
}

/** Those that fit this server: an older pg_dump refuses it. Null where there are none. */
export function findPgTools({ versions }: Lab): PgTools | null {
  const [major = ''] = versions.postgres.split('.');
  const folders = [`/usr/lib/postgresql/${major}/bin`, ...(process.env.PATH ?? '').split(path.delimiter)];
  for (const folder of folders) {
    const pgDump = path.join(folder, 'pg_dump');
    if (!existsSync(pgDump)) continue;
    const { stdout } = spawnSync(pgDump, ['--version'], { encoding: 'utf8' });
    if (Number(/ (\d+)/.exec(stdout)?.[1]) >= Number(major))
      return { pgDump, pgRestore: path.join(folder, 'pg_restore') };
  }
  return null;
}

export interface DumpSample {
  backupMs: number;
  restoreMs: number;
  storedBytes: number;
}

/** To a file and back into a fresh database, as one would do it by hand: read back by nobody, compared with nothing. */
export async function measurePgDump(lab: Lab, database: LabDatabase, tools: PgTools): Promise<DumpSample> {
  const file = path.join(lab.folder, 'dump');
  const run = promisify(execFile);
  const startedAt = performance.now();
  await run(tools.pgDump, ['-Fc', '-n', 'public', '-f', file, database.url]);
  const dumpedAt = performance.now();
  const target = await lab.createDatabase('template0');
  try {
    await target.query('DROP SCHEMA public'); // the dump brings its own
    await run(tools.pgRestore, ['--exit-on-error', '--no-owner', '-d', target.url, file]);
    return {
      backupMs: dumpedAt - startedAt,
      restoreMs: performance.now() - dumpedAt,
      storedBytes: statSync(file).size,
    };
  } finally {
    await target.drop();
    rmSync(file);
  }
}

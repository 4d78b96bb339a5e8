import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesText } from '../src/cli/backup/backup-text.ts';
import { type RunOptions, runCaptured, withoutColours } from '../src/cli/captured-run.ts';
import type { Backup } from '../src/domain/backup.ts';
import { type Engine, startEngine } from './support/engine.ts';

let engine: Engine;
let folder: string;
let emptyUrl: string;
let name = '';

async function onServer(statement: string, url = process.env.TEST_DATABASE_URL): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows;
}

beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [], env: { BACKUP_CRON: 'off' } });
  await engine.api.place('vip');
  folder = await mkdtemp(path.join(tmpdir(), 'twolane-backup-cli-'));
  emptyUrl = `${engine.database.url}_empty`;
  await onServer(`CREATE DATABASE ${new URL(emptyUrl).pathname.slice(1)}`);
});
afterAll(async () => {
  await onServer(`DROP DATABASE IF EXISTS ${new URL(emptyUrl).pathname.slice(1)} WITH (FORCE)`);
  await engine.close();
  await rm(folder, { recursive: true });
});

const run = (words: string, more: Partial<RunOptions> = {}) =>
  runCaptured(['backup', ...words.split(' ')], {
    projectFolder: folder,
    env: { ...engine.environment, TWOLANE_URL: engine.web.url, TWOLANE_CONFIG_DIR: folder },
    ...more,
  });
/** A machine that has the store, and neither the engine nor its database. */
const bareEnvironment = () => ({
  ENV: 'development',
  LOCAL_STORE_FOLDER: engine.environment.LOCAL_STORE_FOLDER ?? '',
});

const storedFiles = async () => {
  const root = path.join(engine.environment.LOCAL_STORE_FOLDER ?? '', 'backups');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name: file }) => path.join(parentPath, file));
};

describe('before there is a backup', () => {
  it('says so, and where it looked', async () => {
    const listed = await run('list', { env: bareEnvironment() });
    expect(listed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(listed.stdout).toMatch(/^there is no backup in \/.*\/backups\n$/);
    const restored = await run(`restore --to ${emptyUrl} --yes`);
    expect(restored).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no backup in') });
  });

  it('says what is missing where no store is named', async () => {
    const listed = await run('list', { env: {} });
    expect(listed).toMatchObject({ exitCode: 2, stdout: '' });
    expect(listed.stderr).toMatch(/no store for backups is named[\s\S]*BACKUP_S3_ENDPOINT[\s\S]*LOCAL_STORE_FOLDER/);
    const faulty = await run('list', { env: { ...bareEnvironment(), BACKUP_KEEP_DAILY: '0' } });
    expect(faulty).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('BACKUP_KEEP_DAILY') });
  });

  it('makes a key that the settings take', async () => {
    const made = await run('key');
    const [, key = ''] = /^BACKUP_ENCRYPTION_KEY=(\S+)\n# public half: age1\w+\n$/.exec(made.stdout) ?? [];
    expect(key).toMatch(/^AGE-SECRET-KEY-1/);
    expect(made.stderr).toContain('NEW,OLD');
    expect((await run('key --json')).stdout).not.toContain(key);
    const listed = await run('list', { env: { ...bareEnvironment(), BACKUP_ENCRYPTION_KEY: key } });
    expect(listed.exitCode).toBe(0);
  });
});

it('writes its examples and hints as it was called', async () => {
  const byNpx = { env: { ...engine.environment, npm_execpath: 'npx' } };
  const helps = await Promise.all(
    ['', 'run ', 'list ', 'verify ', 'restore ', 'drill ', 'key '].map((words) => run(`${words}--help`, byNpx)),
  );
  for (const { stdout } of helps) {
    expect(stdout).toContain('npx twolane backup');
    expect(stdout).not.toMatch(/(?<!npx )twolane (backup|payments) /);
  }
});

it('says what is to be done where the engine does not run, in the demo too', async () => {
  const followed = await run('run --url http://127.0.0.1:1');
  expect(followed).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('`twolane backup run --here`') });
  const demo = { projectFolder: await mkdtemp(path.join(folder, 'demo-')), env: {} };
  await mkdir(path.join(demo.projectFolder, '.data'));
  for (const words of ['run --here', 'drill', 'verify'])
    expect(await run(words, demo), words).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/DATABASE_URL.*\n.*only while `npm start` runs/),
    });
  const elsewhere = await run('drill', { env: bareEnvironment() });
  expect(elsewhere).toMatchObject({ exitCode: 2, stderr: expect.not.stringContaining('npm start') });
});

describe('a backup by hand', () => {
  it('is made here, and its progress shown in place on a terminal', async () => {
    const made = await run('run --here', { isTty: true });
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    const text = withoutColours(made.stdout);
    expect(text).toMatch(/storing +[█░▏▎▍▌▋▊▉]* +\d+ %/);
    expect(text).toMatch(/verified \d{8}T\d{6}Z-[0-9a-f]{6}: [\d,]+ rows, .*made in .*, restored in .*\n$/);
    name = /verified (\S+):/.exec(text)?.[1] ?? '';
    const listed = await run('list', { env: bareEnvironment() });
    expect(listed.stdout).toMatch(new RegExp(`${name} .* verified .* not encrypted\\n1 backup in .*, 1 verified\\n$`));
    const json = JSON.parse((await run('list --json', { env: bareEnvironment() })).stdout);
    expect(json.backups).toMatchObject([{ name, fault: null, encryptedFor: null }]);
    const [told] = await engine.database.query<{ bytes: number }>('SELECT stored_bytes::float8 AS bytes FROM backups');
    const sizes = await Promise.all(
      (await storedFiles()).map(async (file) => (/data\.tar/.test(file) ? (await stat(file)).size : 0)),
    );
    expect([told?.bytes, json.backups[0].storedBytes]).toEqual([Math.max(...sizes), Math.max(...sizes)]);
    expect(text).toContain(bytesText(told?.bytes ?? 0));
  });

  it('is asked for at the engine, and followed; Ctrl-C ends the following alone', async () => {
    const stop = new AbortController();
    const followed = run('run', { signal: stop.signal, onOutput: (text) => text.includes('waits') && stop.abort() });
    expect((await followed).exitCode).toBe(130);
    const rows = await engine.database.query("SELECT state FROM backups WHERE trigger = 'api'");
    expect(rows).toEqual([{ state: 'queued' }]);
  });

  it('stopped by Ctrl-C while it is made here leaves nothing', async () => {
    const before = await storedFiles();
    const stop = new AbortController();
    const made = run('run --here', {
      signal: stop.signal,
      isTty: true,
      onOutput: (text) => text.includes('reading') && stop.abort(),
    });
    expect(await made).toMatchObject({ exitCode: 130 });
    expect(await storedFiles()).toEqual(before);
  });
});

describe('a restore', () => {
  it('refuses what is not empty, what is no database, and to go on unasked', async () => {
    const full = await run(`restore latest --to ${engine.database.url} --yes`);
    expect(full).toMatchObject({ exitCode: 1 });
    expect(full.stderr).toMatch(/not empty[\s\S]*--into-empty-schema/);
    expect(full.stdout).toMatch(/which must be empty\n$/); // and not that anything was restored
    for (const address of [
      'http://ann:hunter2@shop.example/db',
      'ann:hunter2@shop.example/db',
      'postgres://127.0.0.1',
    ]) {
      const faulty = await run(`restore latest --to ${address} --yes`);
      expect(faulty).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('the address of a database') });
      expect(faulty.stderr).not.toContain('hunter2');
    }
    for (const schema of ['pg_mine', 'x'.repeat(64)])
      expect(await run(`restore --to ${emptyUrl} --into-empty-schema ${schema} --yes`)).toMatchObject({ exitCode: 2 });
    expect(await run(`restore latest --to ${emptyUrl}`)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--yes'),
    });
    expect(await run(`restore ../../etc --to ${emptyUrl} --yes`)).toMatchObject({ exitCode: 2 });
    const away = await run('restore latest --to postgres://127.0.0.1:1/none --yes');
    expect(away).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is it running') });
    const absent = await run(`restore latest --to ${emptyUrl}_absent --yes`);
    expect(absent).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/does not exist\n.*createdb/) });
  });

  it('says what its user may not do, and leaves nothing', async () => {
    const role = `poor_${process.pid}`;
    await onServer(`CREATE ROLE ${role} LOGIN PASSWORD 'hunter2'`);
    const poor = Object.assign(new URL(emptyUrl), { username: role, password: 'hunter2' });
    const refused = await run(`restore latest --to ${poor.href} --yes`);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/permission denied[\s\S]*OWNER TO/) });
    poor.password = 'other';
    const stranger = await run(`restore latest --to ${poor.href} --yes`);
    await onServer(`DROP ROLE ${role}`);
    expect(stranger).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the user and the password') });
    expect(refused.stderr + stranger.stderr).not.toContain('hunter2');
  });

  it('takes one that is not encrypted only by its name, where there is a key', async () => {
    const key = /AGE-SECRET-KEY-\S+/.exec((await run('key')).stdout)?.[0] ?? '';
    const withKey = { env: { ...engine.environment, BACKUP_ENCRYPTION_KEY: key } };
    const refused = await run(`restore --to ${emptyUrl} --yes`, withKey);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no encrypted backup') });
    const asked = await run(`restore ${name} --to ${emptyUrl}`, { ...withKey, typed: ['n'] });
    expect(asked.stdout).toContain('NOT ENCRYPTED: whoever can write to the store');
  });

  it('says what it is about to do, and does nothing after a no', async () => {
    const asked = await run(`restore --to ${emptyUrl}`, { typed: ['n'] });
    expect(asked.stdout).toMatch(
      new RegExp(`backup +${name}, of .* ago\\)\nholds +\\d+ rows in \\d+ tables.* verified; a restore took`),
    );
    expect(asked.stdout).not.toContain('postgres:'); // the password
    expect(asked).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('nothing was restored') });
  });

  it('puts the data beside others, for looking at them', async () => {
    const looked = await run(`restore --to ${engine.database.url} --into-empty-schema yesterday --yes`);
    expect(looked).toMatchObject({ exitCode: 0, stderr: '' });
    const [counted] = await engine.database.query<{ same: boolean }>(
      'SELECT (SELECT count(*) FROM yesterday.orders) = (SELECT count(*) FROM public.orders) AS same',
    );
    expect(counted?.same).toBe(true);
    await engine.database.query('DROP SCHEMA yesterday CASCADE');
  });

  it('says how a schema goes away again, whatever its name', async () => {
    const words = ['backup', 'restore', '--to', engine.database.url, '--into-empty-schema', 'The "Bad" Name', '--yes'];
    const looked = await runCaptured(words, { projectFolder: folder, env: engine.environment });
    const [, goesBy = ''] = /; (DROP SCHEMA .* CASCADE) takes it away\n$/.exec(looked.stdout) ?? [];
    const countSchemas = () =>
      engine.database.query<{ count: number }>(
        `SELECT count(*)::int FROM pg_namespace WHERE nspname = 'The "Bad" Name'`,
      );
    expect(await countSchemas()).toEqual([{ count: 1 }]);
    await engine.database.query(goesBy);
    expect(await countSchemas()).toEqual([{ count: 0 }]);
  });

  it('fills an empty database, by JSON too', async () => {
    const restored = await run(`restore latest --to ${emptyUrl} --yes --json`);
    expect(restored.exitCode).toBe(0);
    const outcome = { name, migrations: [], rebuilt: { vip: 1, normal: 0 }, nextOrderNumber: 3001 };
    expect(JSON.parse(restored.stdout)).toMatchObject(outcome);
  });

  it('fills the queues of a database of which only our own tables were taken away', async () => {
    await onServer(`UPDATE bullmq.job SET state = 'completed'`, emptyUrl); // as after the work that is due again now
    await onServer('DROP SCHEMA public CASCADE; CREATE SCHEMA public', emptyUrl);
    const again = await run(`restore latest --to ${emptyUrl} --yes`, {
      env: { ...engine.environment, npm_execpath: 'npx' },
    });
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toMatch(/\nrestoring +[\d.]+ kB\n.*restored in/); // how long it took is said once
    expect(again.stdout).toContain('`npx twolane payments reconcile');
    const jobs = await onServer(`SELECT state::text FROM bullmq.job WHERE queue = 'orders-vip'`, emptyUrl);
    expect(jobs).toEqual([{ state: 'waiting' }]);
  });
});

it('drills the whole way, and says how long each part took', async () => {
  const drilled = await run('drill');
  expect(drilled).toMatchObject({ exitCode: 0, stderr: '' });
  expect(drilled.stdout).toMatch(/snapshot and upload .*\nrestore .*\nall, with reading back and comparing/);
  expect(drilled.stdout).toContain('what was restored equals what was there');
});

it('verifies one again, on a server that is named', async () => {
  const bare = await run('verify', { env: bareEnvironment() });
  expect(bare).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--scratch') });
  const verified = await run(`verify latest --scratch ${engine.database.url}`, { env: bareEnvironment() });
  expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^restoring[\s\S]*verified \d{8}T/) });
});

it('verifies the last one, not the last verified one', async () => {
  const unverified = await run('run --here', {
    env: { ...engine.environment, BACKUP_SCRATCH_DATABASE_URL: 'postgres://127.0.0.1:1/none' },
  });
  expect(unverified).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('No scratch database') });
  const { backups } = JSON.parse((await run('list --json')).stdout) as { backups: Backup[] };
  const states = backups.map(({ verifiedAt }) => verifiedAt !== null);
  expect(states.slice(-2)).toEqual([true, false]);
  expect((await run('verify')).stdout).toContain(`verified ${backups.at(-1)?.name}`);
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type S3Sandbox, startS3Sandbox } from '../sandbox/s3/s3-sandbox.ts';
import { runCaptured } from '../src/cli/captured-run.ts';
import { readConfig } from '../src/config.ts';
import { openDatabase } from '../src/db/pool.ts';
import { listServiceFaults } from '../src/db/service-faults.ts';
import { createLog } from '../src/log.ts';
import { MediaKeeper } from '../src/operations/media-keeper.ts';
import { createMediaLibrary } from '../src/operations/media-library.ts';
import { compareMedia, sendAssets } from '../src/operations/sync-media.ts';
import { AssetChangedError, readAssets } from '../src/storage/asset-index.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import { openObjectStore } from '../src/storage/open-object-store.ts';
import { cloneDatabase } from './support/database.ts';
import { until } from './support/until.ts';

const cdn = 'https://cdn.shop.example/';
const names = Array.from({ length: 40 }, (_, index) => `products/${index}.svg`);

let folder: string;
let sandbox: S3Sandbox;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'assets-'));
  await mkdir(path.join(folder, 'products'));
  for (const name of names) await write(name, `picture ${name}`);
  sandbox = await startS3Sandbox({ buckets: ['media'] });
  store = openStore();
});
afterEach(async () => {
  store.close();
  await sandbox.close();
  await rm(folder, { recursive: true });
});

const write = (name: string, content: string) => writeFile(path.join(folder, name), content);

function openStore(): ObjectStore {
  const environment = { ENV: 'test', DATABASE_URL: 'postgres://nowhere/x', ...sandbox.settings('MEDIA_S3') };
  return openObjectStore(readConfig(environment).stores.media!, { publicUrl: '', linkSecrets: null });
}

const sent = (from = 0) =>
  sandbox.log
    .slice(from)
    .filter(({ operation }) => operation === 'put')
    .map(({ key }) => key);

/** As a process does at its start; gives the keys that it sent. */
async function sync(): Promise<string[]> {
  const from = sandbox.log.length;
  const { all } = await readAssets(folder);
  const { missing } = await compareMedia(store, all);
  await sendAssets(store, missing, { signal: new AbortController().signal, onSent: () => {} });
  return sent(from).sort();
}

describe('a sync', () => {
  it('sends only what changed, and leaves the old version to those who still show it', async () => {
    expect(await sync()).toHaveLength(names.length);
    expect(await sync()).toEqual([]);
    const before = (await readAssets(folder)).find('products/7.svg')!;
    await write('products/7.svg', 'another picture');
    const after = (await readAssets(folder)).find('products/7.svg')!;
    expect(await sync()).toEqual([after.versionedName]);
    expect(String(await sandbox.read(before.versionedName))).toBe('picture products/7.svg');
    await write('products/7.svg', 'picture products/7.svg'); // back again
    expect(await sync()).toEqual([]);
  });

  it('sends again what is not there whole', async () => {
    await sync();
    const { versionedName } = (await readAssets(folder)).find('products/7.svg')!;
    await sandbox.write(versionedName, Buffer.from('pict'));
    expect(await sync()).toEqual([versionedName]);
    expect(String(await sandbox.read(versionedName))).toBe('picture products/7.svg');
  });

  it('asks once for a folder, whatever else the bucket holds', async () => {
    await sandbox.write('backups/large.tar', Buffer.from('x'));
    const { stored } = await compareMedia(store, (await readAssets(folder)).all);
    expect(stored.size).toBe(0);
    expect(sandbox.log.map(({ operation }) => operation)).toEqual(['list']);
  });

  it('never stores another content under the name of one that was there at the start', async () => {
    const { all } = await readAssets(folder);
    await write('products/0.svg', 'another picture');
    const work = sendAssets(store, all, { signal: new AbortController().signal, onSent: () => {} });
    await expect(work).rejects.toThrow(AssetChangedError);
    expect(sent()).not.toContain(all.find(({ name }) => name === 'products/0.svg')?.versionedName);
  });

  it('sends eight at once', async () => {
    sandbox.faults.add({ kind: 'hangs', operation: 'put', times: 7 });
    const { all } = await readAssets(folder);
    const stop = new AbortController();
    const work = sendAssets(store, all, { signal: stop.signal, onSent: () => {} });
    await until('those that do not hang', () => sandbox.keys().length === names.length - 7);
    stop.abort();
    await expect(work).rejects.toThrow();
  });

  it('begins nothing more once something failed', async () => {
    sandbox.faults.add({ kind: 'refused', operation: 'put', times: names.length });
    await expect(sync()).rejects.toMatchObject({ kind: 'refused' });
    expect(sent().length).toBeLessThanOrEqual(8); // those that were under way
    expect(sandbox.keys()).toEqual([]);
  });
});

describe('the keeper', () => {
  it('takes the media back while the store fails, and gives them over when it works again', async () => {
    const clone = await cloneDatabase();
    const database = await openDatabase(clone.url, createLog('silent', 'test'));
    const library = createMediaLibrary({ assets: await readAssets(folder), storeUrl: cdn });
    const keeper = new MediaKeeper(
      { store, library, db: database.pool, log: createLog('silent', 'test') },
      { lookMs: 20, firstRetryMs: 20, longestRetryMs: 50 },
    );
    const shown = () => library.urlOf('/media/products/7.svg') ?? '';
    const faults = () => listServiceFaults(database.pool);
    try {
      await until('the store', () => shown().startsWith(cdn));
      sandbox.faults.add({ kind: 'refused', times: 100_000 });
      await until('this server', () => shown().startsWith('/media/'));
      await until('a fault', async () => (await faults()).length === 1);
      expect(await faults()).toMatchObject([{ service: 'media', code: 'refused' }]);
      sandbox.faults.clear();
      await until('the store again', () => shown().startsWith(cdn));
      await until('no fault', async () => (await faults()).length === 0);
      expect(sent()).toHaveLength(names.length);
    } finally {
      await keeper.close();
      await database.close();
      await clone.drop();
    }
  });
});

describe('twolane media sync', () => {
  // of the assets of the checkout
  const run = (args: string[] = [], more: Record<string, string> = {}, isTty = false) =>
    runCaptured(['media', 'sync', ...args], { env: { ENV: 'test', ...sandbox.settings('MEDIA_S3'), ...more }, isTty });

  it('says what it would do, does it once, and deletes nothing of others', async () => {
    const { all } = await readAssets();
    await sandbox.write('products/other.0123456789ab.svg', Buffer.from('not ours, or new'));
    const dry = await run(['--dry-run', '--prune']);
    expect(dry).toMatchObject({ exitCode: 0, stderr: '' });
    expect(dry.stdout).toContain('lacks products/espresso.svg');
    expect(dry.stdout).toMatch(
      /17 files \(\d+ kB\) would be sent, 0 there already, 0 old versions would be deleted; nothing was done/,
    );
    expect(sent()).toEqual([]);

    const done = await run();
    expect(done.stdout).toMatch(/17 of 17 files sent\nbucket media: 17 files \(\d+ kB\) sent, 0 there already\n$/);
    expect(sent().sort()).toEqual(all.map(({ versionedName }) => versionedName).sort());

    const again = await run(['--json', '--prune']);
    expect(JSON.parse(again.stdout)).toEqual({
      bucket: 'media',
      isDryRun: false,
      assets: 17,
      missing: [],
      missingBytes: 0,
      unused: [],
      unread: [],
    });
    expect(sandbox.keys()).toHaveLength(18);
  });

  it('draws a bar where a person looks', async () => {
    const { stdout } = await run([], {}, true);
    expect(stdout).toMatch(/sending █{30} 17 of 17 files/);
  });

  it('says what is missing, refused or away', async () => {
    const unset = await runCaptured(['media', 'sync'], { env: { ENV: 'test' } });
    expect(unset).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/no media store is set up.*MEDIA_S3_BUCKET/s),
    });
    const half = await run([], { MEDIA_S3_BUCKET: '' });
    expect(half).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('MEDIA_S3_BUCKET: missing') });
    const secret = 'a wrong secret of the media store';
    const refused = await run([], { MEDIA_S3_SECRET_ACCESS_KEY: secret });
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/refused: bucket media.*SignatureDoesNotMatch/s),
    });
    expect(refused.stderr).not.toContain(secret);
    await sandbox.close();
    const away = await run();
    expect(away).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('cannot be reached') });
    sandbox = await startS3Sandbox({ buckets: ['media'] });
  });

  it('takes the settings of the folder’s .env, and ends at Ctrl-C', async () => {
    await writeFile(
      path.join(folder, '.env'),
      Object.entries(sandbox.settings('MEDIA_S3'))
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    sandbox.faults.add({ kind: 'hangs', times: 100 });
    const stop = new AbortController();
    const running = runCaptured(['media', 'sync'], { env: {}, projectFolder: folder, signal: stop.signal });
    await until('it asks', () => sandbox.faults.met().length > 0);
    stop.abort();
    expect(await running).toMatchObject({ exitCode: 130 });
    expect(sandbox.keys()).toEqual([]);
  });
});

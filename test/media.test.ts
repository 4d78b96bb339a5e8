import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../sandbox/free-port.ts';
import { type S3Sandbox, startS3Sandbox } from '../sandbox/s3/s3-sandbox.ts';
import { type Config, readConfig } from '../src/config.ts';
import type { Product } from '../src/domain/product.ts';
import { createLog } from '../src/log.ts';
import { startWeb } from '../src/server.ts';
import { readAssets } from '../src/storage/asset-index.ts';
import { type Api, createApi } from './support/api.ts';
import { type BoardBrowser, startBoardBrowser } from './support/board-browser.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

const assets = await readAssets();
const cdn = 'https://cdn.shop.example/pictures';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
async function open<T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> {
  const opened = await opening;
  closing.push(() => opened.close());
  return opened;
}
const start = (env: Record<string, string> = {}) => open(startEngine('postgres', { roles: [], env }));
const startStore = (port?: number) => open(startS3Sandbox({ buckets: ['media'], ...(port !== undefined && { port }) }));
const sentTo = (sandbox: S3Sandbox) => sandbox.log.filter(({ operation }) => operation === 'put');

/** Another web process of the same engine. */
async function startOther(engine: Engine, change = (config: Config) => config): Promise<{ api: Api }> {
  const web = await open(startWeb(change(readConfig(engine.environment)), createLog('fatal', 'test')));
  return { api: createApi(() => web.url) };
}

const productsOf = async ({ api }: { api: Api }) =>
  (await api.call<{ products: Product[] }>('GET', '/v1/products')).body.products;
const degradedOf = async ({ api }: { api: Api }) =>
  (await api.call<{ status: string; degraded: string[] }>('GET', '/readyz')).body.degraded;
const urlsOf = async (engine: { api: Api }) =>
  new Set((await productsOf(engine)).flatMap(({ imageUrl, soundUrl }) => [imageUrl ?? '', soundUrl ?? '']));
const untilShownFrom = (engine: { api: Api }, start: string) =>
  until(`all from ${start}`, async () => [...(await urlsOf(engine))].every((url) => url.startsWith(start)), 30_000);

describe('without a media store', () => {
  let engine: Engine;
  let browser: BoardBrowser;
  beforeAll(async () => {
    [engine, browser] = await Promise.all([startEngine('postgres', { roles: [] }), startBoardBrowser()]);
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await engine.close();
  });
  const get = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(new URL(url, engine.web.url), { method, headers });

  it('gives products the addresses of their content, kept for ever by who gets it', async () => {
    const urls = await urlsOf(engine);
    expect(urls.size).toBe(17);
    for (const url of urls) {
      const answer = await get(url);
      const asset = assets.findVersioned(url.replace('/media/', ''));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(answer.headers.get('content-type')).toBe(asset?.contentType);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('content-security-policy')).toContain('sandbox');
      expect(url).toContain(`.${hash('sha256', await answer.bytes()).slice(0, 12)}.`);
    }
    expect(await degradedOf(engine)).toEqual([]);
  });

  it('answers HEAD, parts and conditions as for any file', async () => {
    const url = `/media/${assets.find('sounds/ready.wav')?.versionedName}`;
    const whole = Buffer.from(await (await get(url)).bytes());
    const head = await get(url, {}, 'HEAD');
    expect(Number(head.headers.get('content-length'))).toBe(whole.length);
    const part = await get(url, { range: 'bytes=10-19' });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.bytes())).toEqual(whole.subarray(10, 20));
    const conditions = { 'if-none-match': head.headers.get('etag') ?? '', 'cache-control': 'max-age=0' };
    expect((await get(url, conditions)).status).toBe(304);
  });

  it('has the plain names too, for a while, and nothing under the name of another content', async () => {
    const { versionedName = '' } = assets.find('products/espresso.svg') ?? {};
    expect((await get('/media/products/espresso.svg')).headers.get('cache-control')).toBe('public, max-age=300');
    const others = [
      versionedName.replace(/\.[0-9a-f]{12}\./, '.0123456789ab.'),
      versionedName.replace('espresso', 'lemonade'),
      versionedName.replace('products/', ''),
      versionedName.toUpperCase(),
    ];
    for (const other of others) {
      const answer = await get(`/media/${other}`);
      expect({ other, status: answer.status }).toEqual({ other, status: 404 });
      expect(answer.headers.get('cache-control')).not.toMatch(/immutable/);
    }
  });

  it('keeps the plain path of what is imported by an address that was given out', async () => {
    const espresso = (await productsOf(engine)).find(({ sku }) => sku === 'espresso');
    const { sku, name, price, imageUrl, soundUrl } = espresso!;
    const body = { products: [{ sku, name, price, imageUrl, soundUrl }] };
    expect((await engine.api.call('POST', '/v1/admin/products', { headers: adminHeader, body })).status).toBe(200);
    const [row] = await engine.database.query('SELECT image_url, sound_url FROM products WHERE sku = $1', [sku]);
    expect(row).toEqual({ image_url: '/media/products/espresso.svg', sound_url: '/media/sounds/ready.wav' });
    expect((await productsOf(engine)).find((one) => one.sku === sku)).toEqual(espresso);
  });

  it('has /readyz name stores that are not set up, and what somebody has found, each once', async () => {
    await engine.database.query(`
      INSERT INTO service_faults (service, code, message, since, seen_at) VALUES
        ('mail', 'EAUTH', 'wrong password', now() - interval '2 days', now() - interval '1 day'),
        ('media', 'away', 'gone', now(), now()), ('backups', 'away', 'gone', now(), now())`);
    expect(await degradedOf(engine)).toEqual(['backups', 'mail', 'media']);
    // the fault of a media store ends with the store
    const other = await startOther(engine, ({ stores, ...config }) => ({
      ...config,
      stores: { ...stores, files: null, backups: null },
    }));
    await until('no media', async () => !(await degradedOf(engine)).includes('media'));
    expect(await other.api.call('GET', '/readyz')).toMatchObject({
      status: 200,
      body: { status: 'ready', missing: [], degraded: ['backups', 'files', 'mail'] },
    });
    await engine.database.query('DELETE FROM service_faults');
  });

  it('has what a browser shows and plays', async () => {
    const page = await browser.open(engine.web.url);
    const loaded = await page.evaluate(`Promise.all(${JSON.stringify([...(await urlsOf(engine))])}.map((url) =>
      new Promise((resolve) => {
        const isSound = url.endsWith('.wav');
        const element = isSound ? new Audio() : new Image();
        element.onerror = () => resolve(url + ' failed');
        element.onload = () => resolve(element.naturalWidth > 0 ? 'shown' : url + ' is empty');
        element.oncanplaythrough = () => resolve(element.duration > 0 ? 'played' : url + ' is silent');
        element.src = url;
      })))`);
    expect((loaded as string[]).sort()).toEqual(['played', ...Array<string>(16).fill('shown')]);
    expect(browser.faults).toEqual([]);
  });
});

describe('a media store', () => {
  it('is filled by two web processes at once, without harm, and then browsers are sent there', async () => {
    const sandbox = await startStore();
    const env = { ...sandbox.settings('MEDIA_S3'), MEDIA_S3_PREFIX: 'live', MEDIA_PUBLIC_URL: `${cdn}/` };
    const engine = await start(env);
    const other = await startOther(engine);
    await untilShownFrom(engine, `${cdn}/live/`);
    await untilShownFrom(other, `${cdn}/live/`);
    const keys = assets.all.map(({ versionedName }) => `live/${versionedName}`);
    expect(sandbox.keys()).toEqual(keys.sort());
    expect(await degradedOf(engine)).toEqual([]);

    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = engine.config.stores.media!;
    const client = new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
    });
    for (const { versionedName, contentType, file } of assets.all) {
      const Key = `live/${versionedName}`;
      const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
      expect(head.ContentType).toBe(contentType);
      expect(head.CacheControl).toBe('public, max-age=31536000, immutable');
      expect(await sandbox.read(Key)).toEqual(await readFile(file));
    }
    client.destroy();

    const sent = sentTo(sandbox).length;
    await engine.restartWeb(); // nothing has changed
    await untilShownFrom(engine, `${cdn}/live/`);
    expect(sentTo(sandbox)).toHaveLength(sent);
    const plain = await fetch(new URL('/media/products/espresso.svg', engine.web.url));
    expect(plain.status, 'this server still has them').toBe(200);
  }, 60_000);

  it('that is away at the start holds nothing up, is told by /readyz, and is filled when it comes', async () => {
    const port = await findFreePort();
    const { settings, close } = await startS3Sandbox({ buckets: ['media'], port });
    await close();
    const engine = await start({ ...settings('MEDIA_S3'), MEDIA_PUBLIC_URL: cdn });
    expect([...(await urlsOf(engine))].every((url) => url.startsWith('/media/'))).toBe(true);
    await until('a fault', async () => (await degradedOf(engine)).includes('media'), 30_000);
    expect(await engine.api.call('GET', '/readyz')).toMatchObject({
      status: 200,
      body: { status: 'ready', missing: [] },
    });
    const [fault] = await engine.database.query('SELECT code, has_paused FROM service_faults');
    expect(fault).toEqual({ code: 'away', has_paused: false });

    const sandbox = await startStore(port);
    await untilShownFrom(engine, `${cdn}/`);
    await until('no fault', async () => (await degradedOf(engine)).length === 0);
    expect(sandbox.keys()).toHaveLength(assets.all.length);
  }, 60_000);

  it('that never answers holds up neither the start nor the end', async () => {
    const sandbox = await startStore();
    sandbox.faults.add({ kind: 'hangs', times: 1_000 });
    const engine = await startEngine('postgres', {
      roles: [],
      env: { ...sandbox.settings('MEDIA_S3'), STORE_TIMEOUT: '5m' },
    });
    await until('it was asked', () => sandbox.faults.met().length > 0);
    expect((await engine.api.call('GET', '/v1/products')).status).toBe(200);
    const closeAt = performance.now();
    await engine.close();
    expect(performance.now() - closeAt).toBeLessThan(15_000); // a store may take five minutes
  });

  it('that refuses says so, without its secret', async () => {
    const sandbox = await startStore();
    const secret = 'a wrong secret of the media store';
    const engine = await start({ ...sandbox.settings('MEDIA_S3'), MEDIA_S3_SECRET_ACCESS_KEY: secret });
    await until('a fault', async () => (await degradedOf(engine)).includes('media'));
    const [fault] = await engine.database.query<{ code: string; message: string }>(
      'SELECT code, message FROM service_faults',
    );
    expect(fault?.code).toBe('refused');
    expect(fault?.message).not.toContain(secret);
    expect(sandbox.keys()).toEqual([]);
  });
});

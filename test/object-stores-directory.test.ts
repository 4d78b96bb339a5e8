import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { directoryError } from '../src/storage/directory-errors.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import { openObjectStore } from '../src/storage/open-object-store.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

const secret = 'a secret of the tests that is long enough';
const openFolder = (folder: string, linkSecrets: string[] | null = [secret]) =>
  openObjectStore({ kind: 'directory', folder }, { publicUrl: 'http://127.0.0.1:3000', linkSecrets });

describe('a store in a folder', () => {
  let above: string;
  let folder: string;
  let store: ObjectStore;
  beforeEach(async () => {
    above = await mkdtemp(path.join(tmpdir(), 'twolane-folder-'));
    folder = path.join(above, 'made', 'files');
    store = openFolder(folder);
  });
  afterEach(() => rm(above, { recursive: true, force: true }));

  const keys = async () => (await Array.fromAsync(store.list(''))).map(({ key }) => key);
  const unfinished = () => readdir(path.join(folder, '~unfinished'));

  it('makes its folder with the first object, for nobody but us', async () => {
    await store.check();
    expect(await keys()).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    await store.put('a/b', Buffer.from('b'));
    const modeOf = async (file: string) => (await stat(path.join(folder, file))).mode & 0o777;
    expect([await modeOf(''), await modeOf('a'), await modeOf('a/b')]).toEqual([0o700, 0o700, 0o600]);
    await store.check();
  });

  it('follows no link, neither on the way nor at its end', async () => {
    await store.put('inside', Buffer.from('inside'));
    const outside = path.join(above, 'outside');
    await mkdir(outside);
    await writeFile(path.join(outside, 'secret'), 'secret');
    await symlink(outside, path.join(folder, 'way'));
    await symlink(path.join(outside, 'secret'), path.join(folder, 'end'));

    await expect(store.get('way/secret')).rejects.toMatchObject({ kind: 'refused', code: 'ELOOP' });
    await expect(store.head('way/secret')).rejects.toMatchObject({ kind: 'refused' });
    await expect(store.put('way/new', Buffer.from('new'))).rejects.toMatchObject({ kind: 'refused' });
    await expect(store.put('way/deep/new', Buffer.from('new'))).rejects.toMatchObject({ kind: 'refused' });
    await expect(store.delete('way/secret')).rejects.toMatchObject({ kind: 'refused' });
    await expect(store.get('end')).rejects.toMatchObject({ kind: 'not_found' });
    expect(await store.head('end')).toBeNull();
    expect(await keys()).toEqual(['inside']);
    await store.put('end', Buffer.from('ours')); // takes the place of the link
    expect(await readFile(path.join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await unfinished()).toEqual([]);
  });

  it('lists no foreign files, nor what is unfinished', async () => {
    await store.put('ours', Buffer.from('ours'));
    await writeFile(path.join(folder, 'not ours'), '');
    const silent = new Readable({ read() {} });
    silent.push('some of it');
    const stopping = new AbortController();
    const put = store.put('late', silent, { signal: stopping.signal });
    await until('the first bytes are written', async () => (await unfinished()).length === 1);
    expect(await keys()).toEqual(['ours']);
    expect(await store.head('late')).toBeNull();
    stopping.abort(new Error('enough'));
    await expect(put).rejects.toThrow('enough');
    expect(await unfinished()).toEqual([]);
  });

  it('shows nothing of a put whose process was killed, and clears it away a day later', async () => {
    await store.put('key', Buffer.from('old'));
    const storage = new URL('../src/storage/open-object-store.ts', import.meta.url);
    const program = `
      import { Readable } from 'node:stream';
      import { openObjectStore } from ${JSON.stringify(storage.href)};
      const store = openObjectStore({ kind: 'directory', folder: process.argv[1] }, { publicUrl: '', linkSecrets: null });
      const body = new Readable({ read() {} });
      body.push('half of the new one');
      await store.put('key', body);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program, folder], { stdio: 'ignore' });
    const [left = ''] = await until('the first bytes are written', async () => {
      const files = await unfinished();
      const [file] = files;
      return file && (await stat(path.join(folder, '~unfinished', file))).size > 0 && files;
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(String(await buffer(await store.get('key')))).toBe('old');
    expect(await keys()).toEqual(['key']);

    await openFolder(folder).put('other', Buffer.from(''));
    expect(await unfinished()).toEqual([left]); // it may still be written
    const dayAgo = Date.now() / 1_000 - 25 * 3_600;
    await utimes(path.join(folder, '~unfinished', left), dayAgo, dayAgo);
    await openFolder(folder).put('other', Buffer.from(''));
    expect(await unfinished()).toEqual([]);
  });

  it('cannot have an object below another', async () => {
    await store.put('a', Buffer.from('a'));
    await expect(store.put('a/b', Buffer.from('b'))).rejects.toMatchObject({ kind: 'refused', code: 'ENOTDIR' });
    await expect(store.put('a/b/c', Buffer.from('b'))).rejects.toMatchObject({ kind: 'refused' });
    expect(await keys()).toEqual(['a']);
    expect(await unfinished()).toEqual([]);
  });

  it('fails a read of a file that became shorter', async () => {
    await store.put('key', Buffer.alloc(1_000_000, 1));
    const content = await store.get('key');
    await truncate(path.join(folder, 'key'), 10);
    await expect(buffer(content)).rejects.toMatchObject({ kind: 'damaged' });
  });

  it('reads on in the object that it began with', async () => {
    await store.put('key', Buffer.alloc(1_000_000, 1));
    const content = await store.get('key');
    await store.put('key', Buffer.from('new'));
    expect((await buffer(content)).equals(Buffer.alloc(1_000_000, 1))).toBe(true);
  });

  it('refuses a place that is no folder', async () => {
    await writeFile(path.join(above, 'made'), '');
    await expect(store.check()).rejects.toMatchObject({ kind: 'refused', code: 'ENOTDIR' });
    await expect(store.put('key', Buffer.from(''))).rejects.toMatchObject({ kind: 'refused' });
  });

  it.each([
    ['ENOSPC', 'full'],
    ['EDQUOT', 'full'],
    ['EACCES', 'refused'],
    ['EROFS', 'refused'],
    ['ENOENT', 'not_found'],
    ['EIO', 'away'],
  ])('calls %s %s', (code, kind) => {
    const error = directoryError(Object.assign(new Error(`${code}: so it is`), { code }), 'a could not be written');
    expect(error).toMatchObject({ kind, code, message: `a could not be written: ${code}: so it is` });
  });

  it('signs nothing without a secret, and says which', async () => {
    const unsigned = openFolder(folder, null).signedUrl('a', { expiresInMs: 1_000 });
    await expect(unsigned).rejects.toThrow(/JWT_SECRET/);
    await expect(unsigned).rejects.toMatchObject({ kind: 'refused' });
  });
});

describe('GET /v1/files', () => {
  let engine: Engine;
  const engines: Engine[] = [];
  const start = async (env: Record<string, string> = {}) => {
    engine = await startEngine('postgres', { roles: [], env });
    engines.push(engine);
    const files = engine.config.stores.files;
    const secrets = engine.config.tokens?.secrets ?? [];
    if (files?.kind !== 'directory') return null;
    return openObjectStore(files, { publicUrl: engine.web.url, linkSecrets: secrets });
  };
  afterAll(() => Promise.all(engines.map((one) => one.close())));

  it('serves what was signed, and that safely', async () => {
    const secrets = [`${secret} now`, `${secret} once`];
    const store = await start({ JWT_SECRET: secrets.join(',') });
    if (!store) throw new TypeError('an engine for tests has a folder');
    const { folder } = engine.config.stores.files as { folder: string };
    await store.put('receipts/1.pdf', Buffer.from('%PDF-'));
    await store.put('page.html', Buffer.from('<script>'));
    const sign = (key: string, settings = { folder, secrets }) =>
      openObjectStore(
        { kind: 'directory', folder: settings.folder },
        { publicUrl: engine.web.url, linkSecrets: settings.secrets },
      ).signedUrl(key, { expiresInMs: 60_000 });

    const page = await fetch(await sign('page.html'));
    expect(await page.text()).toBe('<script>');
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="page.html"',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      'x-robots-tag': 'noindex',
    });
    const head = await fetch(await sign('receipts/1.pdf'), { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe('5');
    expect(head.headers.get('content-type')).toBe('application/pdf');

    const old = { folder, secrets: secrets.slice(1) };
    expect((await fetch(await sign('receipts/1.pdf', old))).status).toBe(200);
    const wrong = [
      await sign('receipts/1.pdf', { folder, secrets: ['a secret that nobody here ever had'] }),
      await sign('receipts/1.pdf', { folder: `${folder}-of-another-store`, secrets }),
      `${engine.web.url}/v1/files/receipts/1.pdf`,
      `${engine.web.url}/v1/files/`,
      `${await sign('receipts/1.pdf')}&signature=again`,
      (await sign('receipts/1.pdf')).replace('receipts/', 'receipts%2F..%2Freceipts%2F'),
    ];
    for (const url of wrong) {
      const answer = await fetch(url);
      expect(answer.status, url).toBe(403);
      expect(await answer.json()).toMatchObject({
        code: 'link_invalid',
        detail: expect.stringMatching(/not one of ours/),
      });
    }
    const gone = await sign('receipts/1.pdf');
    await store.delete('receipts/1.pdf');
    const answer = await fetch(gone);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'route_not_found' });
  });

  it('tells a browser, whose link has ended or was changed, what to do', async () => {
    const store = await start({ SHOP_NAME: 'Bean & Leaf', SHOP_EMAIL: 'Us <us@bean.example>' });
    if (!store) throw new TypeError('an engine for tests has a folder');
    const look = async (url: string) => {
      const answer = await fetch(url, { headers: { accept: 'text/html,*/*;q=0.8' } });
      expect(answer.status).toBe(403);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.headers.get('content-security-policy')).not.toContain('script-src');
      return answer.text();
    };
    const short = await store.signedUrl('receipts/1.pdf', { expiresInMs: 1 });
    await until('ended', () => Date.now() > Number(new URL(short).searchParams.get('expires')));
    const ended = await look(short);
    for (const part of ['This link has ended', 'Bean &amp; Leaf (us@bean.example)', '>Sign in<'])
      expect(ended).toContain(part);
    expect(await look(`${engine.web.url}/v1/files/receipts/1.pdf?expires=1&signature=x`)).toContain('does not work');
  });

  it('is not there where files lie in a bucket', async () => {
    const bucket = { ENDPOINT: 'http://127.0.0.1:1', ACCESS_KEY_ID: 'a', SECRET_ACCESS_KEY: 'b', BUCKET: 'c' };
    await start(Object.fromEntries(Object.entries(bucket).map(([name, value]) => [`R2_${name}`, value])));
    const answer = await fetch(`${engine.web.url}/v1/files/a?expires=1&signature=x`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'route_not_found' });
  });
});

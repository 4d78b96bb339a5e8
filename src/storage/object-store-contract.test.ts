import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type StoreTarget, storeTargets } from '../../test/support/object-store-targets.ts';
import { until } from '../../test/support/until.ts';
import { type ObjectStore, StoreError, type StoreErrorKind } from './object-store.ts';

const run = promisify(execFile);
const mebibyte = 1024 * 1024;
const hourMs = 3_600_000;

/** What the engine relies on, of every store alike. */
describe.each(storeTargets)('%s', (_name, open) => {
  let target: StoreTarget;
  let store: ObjectStore;
  beforeAll(async () => {
    target = await open();
    ({ store } = target);
  });
  afterAll(() => target?.close());
  afterEach(async () => {
    const left = await keys();
    const clear = async () => {
      for (let key = left.pop(); key !== undefined; key = left.pop()) await store.delete(key);
    };
    await Promise.all(Array.from({ length: 16 }, clear)); // one by one takes minutes where each is a way to go
  });

  const keys = async (prefix = '') => (await Array.fromAsync(store.list(prefix))).map(({ key }) => key);
  const read = async (key: string) => await buffer(await store.get(key));
  const kindOf = async (work: Promise<unknown>): Promise<StoreErrorKind> => {
    const error = await work.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(StoreError);
    return (error as StoreError).kind;
  };

  it('can be used', () => store.check());

  it.each([0, 1, 5 * mebibyte - 1, 5 * mebibyte, 5 * mebibyte + 1, 40 * mebibyte])(
    'gives back %i bytes as they were',
    async (bytes) => {
      const content = randomBytes(bytes);
      await store.put('stream', Readable.from(slices(content), { objectMode: false }));
      expect(sha256(await read('stream'))).toBe(sha256(content));
      const found = await store.head('stream');
      expect(found).toMatchObject({ key: 'stream', bytes });
      expect(Math.abs(Date.now() - +(found?.changedAt ?? 0))).toBeLessThan(hourMs);
      expect(await target.unfinished()).toBe(0);
    },
  );

  it.each([0, 1, 13 * mebibyte])('takes %i bytes in one piece', async (bytes) => {
    const content = new Uint8Array(randomBytes(bytes));
    await store.put('piece', content);
    expect((await read('piece')).equals(content)).toBe(true);
  });

  it('has the latest under a name', async () => {
    await store.put('a/b.txt', Buffer.from('a first one, which is longer'));
    await store.put('a/b.txt', Readable.from(['second ', 'one']), { contentType: 'text/plain' });
    expect(String(await read('a/b.txt'))).toBe('second one');
    expect(await keys()).toEqual(['a/b.txt']);
  });

  it('lists by name, a prefix being a text', async () => {
    const some = ['a-b', 'a.txt', 'a/1', 'a/2/3', 'a0', 'ab/1', 'B', '.dot', '_x'];
    for (const key of some) await store.put(key, Buffer.from(key));
    const inOrder = some.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    expect(await keys()).toEqual(inOrder);
    expect(await keys('a')).toEqual(['a-b', 'a.txt', 'a/1', 'a/2/3', 'a0', 'ab/1']);
    expect(await keys('a/')).toEqual(['a/1', 'a/2/3']);
    expect(await keys('a/2/3')).toEqual(['a/2/3']);
    expect(await keys('a/2/3/')).toEqual([]);
    expect(await keys('nothing')).toEqual([]);
    for await (const { key, bytes } of store.list('')) expect(bytes).toBe(key.length);
  });

  it('lists more than a page', async () => {
    const many = Array.from({ length: 1_003 }, (_, place) => `many/${String(place).padStart(4, '0')}`);
    await target.fill(many);
    expect(await keys('many/')).toEqual(many);
  });

  it('deletes one, and once more', async () => {
    await store.put('a', Buffer.from('a'));
    await store.put('b/c', Buffer.from('b'));
    await store.delete('a');
    await store.delete('a');
    await store.delete('b');
    expect(await keys()).toEqual(['b/c']);
    expect(await store.head('a')).toBeNull();
  });

  it('takes a name again that began those of others, once they are gone', async () => {
    await store.put('a/b/c', Buffer.from('c'));
    await store.delete('a/b/c');
    await store.put('a', Buffer.from('a'));
    await store.delete('a');
    await store.put('a/b/c', Buffer.from('c'));
    expect(await keys()).toEqual(['a/b/c']);
  });

  it('puts and deletes side by side', async () => {
    const work = Array.from({ length: 6 }, async (_, worker) => {
      for (let turn = 0; turn < 25; turn++) {
        await store.put(`side/by/${worker}`, Buffer.from('a')); // the others may take the folder along meanwhile
        await store.delete(`side/by/${worker}`);
      }
    });
    await Promise.all(work);
    expect(await keys()).toEqual([]);
    await store.put('side/by/side', Buffer.from('last'));
    expect(await keys('side/by/side')).toEqual(['side/by/side']);
    expect(await target.unfinished()).toBe(0);
  });

  it('says that something is not there', async () => {
    await store.put('a/b', Buffer.from('b'));
    for (const key of ['nothing', 'a', 'a/b/c', 'a/nothing/c']) {
      expect(await kindOf(store.get(key))).toBe('not_found');
      expect(await store.head(key)).toBeNull();
    }
  });

  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/../b',
    'a/./b',
    'a\\b',
    'a b',
    'ä',
    'a\0',
    '~unfinished/a',
    'a'.repeat(1_025),
  ])('refuses %j, which is no key', async (key) => {
    const body = Readable.from(['a']);
    expect(await kindOf(store.put(key, body))).toBe('refused');
    expect(body.destroyed).toBe(true);
    expect(await kindOf(store.get(key))).toBe('refused');
    expect(await kindOf(store.head(key))).toBe('refused');
    expect(await kindOf(store.delete(key))).toBe('refused');
    expect(await kindOf(store.signedUrl(key, { expiresInMs: 1_000 }))).toBe('refused');
  });

  it('leaves nothing of a put that was stopped, and the old object as it was', async () => {
    await store.put('key', Buffer.from('old'));
    const stopping = new AbortController();
    const reason = new Error('enough');
    async function* endless() {
      for (let piece = 0; ; piece++) {
        if (piece === 30) stopping.abort(reason);
        yield randomBytes(mebibyte);
      }
    }
    const body = Readable.from(endless());
    await expect(store.put('key', body, { signal: stopping.signal })).rejects.toBe(reason);
    expect(body.destroyed).toBe(true);
    expect(String(await read('key'))).toBe('old');
    expect(await target.unfinished()).toBe(0);
  });

  it('can be stopped while nothing comes', async () => {
    const stopping = new AbortController();
    const silent = new Readable({ read() {} });
    silent.push(Buffer.alloc(13 * mebibyte));
    const reason = new Error('enough');
    const put = store.put('key', silent, { signal: stopping.signal });
    setImmediate(() => stopping.abort(reason));
    await expect(put).rejects.toBe(reason);
    const never = store.put('key', Readable.from(['a']), { signal: AbortSignal.abort() });
    await expect(never).rejects.toThrow(/abort/i);
    expect(await keys()).toEqual([]);
    expect(await target.unfinished()).toBe(0);
  });

  it.each([0, 1, 26])('leaves nothing when the body fails after %i MiB, and says what it said', async (pieces) => {
    const fault = new Error('the dump broke');
    async function* broken() {
      for (let piece = 0; piece < pieces; piece++) yield Buffer.alloc(mebibyte);
      throw fault;
    }
    await expect(store.put('key', Readable.from(broken()))).rejects.toBe(fault);
    expect(await keys()).toEqual([]);
    expect(await target.unfinished()).toBe(0);
  });

  it('lets go of a read that is stopped', async () => {
    await store.put('key', randomBytes(8 * mebibyte));
    const stopping = new AbortController();
    const content = await store.get('key', { signal: stopping.signal });
    const taken = (async () => {
      for await (const _ of content) stopping.abort(new Error('enough'));
    })();
    await expect(taken).rejects.toThrow('enough');
    const unread = await store.get('key');
    unread.destroy();
    await expect(store.get('key', { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });

  it('holds little of what is large', { timeout: 60_000 }, async () => {
    const mebibytes = 128;
    const program = fileURLToPath(new URL('../../test/support/store-memory.ts', import.meta.url));
    const heap = '--max-old-space-size=96'; // what lies beside the heap is in the figures
    const { stdout } = await run(process.execPath, [heap, program, JSON.stringify(target.settings), String(mebibytes)]);
    const { peakMebibytes, isSame } = JSON.parse(stdout) as { peakMebibytes: number; isSame: boolean };
    expect(isSame).toBe(true);
    expect(peakMebibytes).toBeLessThan(96); // 48 and what is collected late
  });

  describe('a signed address', () => {
    const content = Buffer.from('%PDF-1.7 a receipt');
    const addressOf = async (fileName?: string, expiresInMs = hourMs) => {
      await store.put('receipts/2026/1001.pdf', content, { contentType: 'application/pdf' });
      return await store.signedUrl('receipts/2026/1001.pdf', { expiresInMs, ...(fileName && { fileName }) });
    };

    it('shows the file to anybody, as a file to be saved and not kept on the way', async () => {
      const answer = await fetch(await addressOf());
      expect(answer.status).toBe(200);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(content);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'application/pdf',
        'content-disposition': 'attachment; filename="1001.pdf"',
        'cache-control': 'private, no-store',
      });
    });

    it.each([
      ['Beleg 1001.pdf', 'attachment; filename="Beleg 1001.pdf"'],
      [
        'Beleg für Zoë.pdf',
        `attachment; filename="Beleg f_r Zo_.pdf"; filename*=UTF-8''Beleg%20f%C3%BCr%20Zo%C3%AB.pdf`,
      ],
      ['領収書.pdf', `attachment; filename="___.pdf"; filename*=UTF-8''%E9%A0%98%E5%8F%8E%E6%9B%B8.pdf`],
      [`a"b\r\nc/d'(e).pdf`, `attachment; filename="a_b__c_d'(e).pdf"; filename*=UTF-8''a%22b__c_d%27%28e%29.pdf`],
    ])('names the file %j', async (fileName, disposition) => {
      const answer = await fetch(await addressOf(fileName));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-disposition')).toBe(disposition);
    });

    it('opens nothing once it has ended', async () => {
      const address = await addressOf('a.pdf', 1_000);
      const status = await until('the address ends', async () => {
        const answer = await fetch(address);
        return answer.status === 200 ? null : answer.status;
      });
      expect(status).toBe(403);
    });

    it('opens nothing once anything of it was changed', async () => {
      const address = new URL(await addressOf('a.pdf'));
      await store.put('receipts/2026/1002.pdf', content);
      const other = new URL(address);
      other.pathname = other.pathname.replace('1001', '1002');
      const changed = [other];
      for (const [name, value] of address.searchParams) {
        if (name === 'x-id') continue;
        const one = new URL(address);
        one.searchParams.set(name, /^\d+$/.test(value) ? String(Number(value) + 1) : `${value}x`);
        const none = new URL(address);
        none.searchParams.delete(name);
        changed.push(one, none);
      }
      for (const one of changed) expect((await fetch(one)).ok, String(one)).toBe(false);
      expect((await fetch(address)).status).toBe(200);
    });

    it('lasts a week at most', async () => {
      const lastsFor = (expiresInMs: number) => store.signedUrl('a', { expiresInMs });
      await lastsFor(7 * 24 * hourMs);
      await expect(lastsFor(7 * 24 * hourMs + 1)).rejects.toThrow(RangeError);
      await expect(lastsFor(0)).rejects.toThrow(RangeError);
      await expect(lastsFor(Number.NaN)).rejects.toThrow(RangeError);
    });

    it('is made of a file that is not there, and finds none', async () => {
      const address = await store.signedUrl('nothing.pdf', { expiresInMs: hourMs });
      expect((await fetch(address)).status).toBe(404);
    });
  });
});

function* slices(content: Buffer) {
  for (let from = 0; from < content.length; from += 100_000) yield content.subarray(from, from + 100_000);
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

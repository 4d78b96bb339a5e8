import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { S3Fault } from '../sandbox/s3/s3-faults.ts';
import { type S3Sandbox, startS3Sandbox } from '../sandbox/s3/s3-sandbox.ts';
import type { S3Settings } from '../src/config-stores.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import { openObjectStore } from '../src/storage/open-object-store.ts';
import { s3Settings } from './support/s3-settings.ts';

const mebibyte = 1024 * 1024;
const timeoutMs = 1_000;
/** For what is meant to take longer. */
const impatientMs = 300;

/** What an S3 store does when the bucket does not do its part. */
describe('a bucket in trouble', () => {
  let sandbox: S3Sandbox;
  let nowMs: number;
  const opened: ObjectStore[] = [];
  const open = (other: Partial<S3Settings> = {}) => {
    const settings = { ...s3Settings(sandbox.settings('R2'), 'R2', timeoutMs), prefix: 'live/', ...other };
    const store = openObjectStore(settings, { publicUrl: '', linkSecrets: null });
    opened.push(store);
    return store;
  };
  let store: ObjectStore;

  beforeAll(async () => {
    nowMs = Date.now();
    sandbox = await startS3Sandbox({ buckets: ['shop', 'other'], nowMs: () => nowMs });
    store = open();
    await store.put('first', Buffer.from('first'));
  });
  beforeEach(async () => {
    sandbox.faults.clear();
    nowMs = Date.now();
    for await (const { key } of store.list('')) await store.delete(key);
  });
  afterAll(async () => {
    for (const one of opened) one.close();
    await sandbox?.close();
  });

  const content = randomBytes(18 * mebibyte);
  const large = () => Readable.from(slices(content));
  const meet = (...faults: S3Fault[]) => {
    for (const fault of faults) sandbox.faults.add(fault);
  };
  const calls = (operation: string, since = 0) =>
    sandbox.log.slice(since).filter((line) => line.operation === operation);

  it.each([
    ['a wrong secret', { secretAccessKey: 'another' }, 'SignatureDoesNotMatch'],
    ['an unknown key', { accessKeyId: 'another' }, 'InvalidAccessKeyId'],
    ['a bucket that is not there', { bucket: 'another' }, 'NoSuchBucket'],
    ['a wrong region', { region: 'another' }, 'AuthorizationHeaderMalformed'],
  ])('calls %s a refusal, whatever is asked', async (_name, wrong, code) => {
    const wrongly = open(wrong);
    const refusal = { kind: 'refused', code };
    await expect(wrongly.check()).rejects.toMatchObject(refusal);
    await expect(wrongly.put('key', Buffer.from('a'))).rejects.toMatchObject(refusal);
    await expect(wrongly.put('key', large())).rejects.toMatchObject(refusal);
    await expect(wrongly.get('key')).rejects.toMatchObject(refusal);
    await expect(Array.fromAsync(wrongly.list(''))).rejects.toMatchObject(refusal);
    await expect(wrongly.delete('key')).rejects.toMatchObject(refusal);
    expect(sandbox.openUploads()).toEqual([]);
  });

  it('calls a clock that is off a refusal', async () => {
    nowMs = Date.now() + 20 * 60_000;
    await expect(store.check()).rejects.toMatchObject({ kind: 'refused', code: 'RequestTimeTooSkewed' });
  });

  it('calls nobody there away', async () => {
    const nobody = open({ endpoint: 'http://127.0.0.1:1' });
    const away = { kind: 'away', code: 'ECONNREFUSED' };
    await expect(nobody.check()).rejects.toMatchObject(away);
    await expect(nobody.put('key', large())).rejects.toMatchObject(away);
    await expect(nobody.get('key')).rejects.toMatchObject(away);
    await expect(nobody.head('key')).rejects.toMatchObject(away);
  });

  it('does not wait for ever for who takes the connection and says nothing', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((listening) => silent.once('listening', listening));
    const address = silent.address() as { port: number };
    const asked = open({ endpoint: `http://127.0.0.1:${address.port}`, timeoutMs: impatientMs });
    await expect(asked.check()).rejects.toMatchObject({ kind: 'away' });
    await expect(asked.get('key')).rejects.toMatchObject({ kind: 'away' });
    await expect(asked.put('key', Buffer.from('a'))).rejects.toMatchObject({ kind: 'away' });
    asked.close();
    silent.close();
  });

  it('tries again what a busy store put off', async () => {
    meet({ kind: 'slow_down', operation: 'upload.part' }, { kind: 'reset', operation: 'upload.part' });
    meet({ kind: 'slow_down', operation: 'upload.begin' }, { kind: 'slow_down', operation: 'get' });
    await store.put('key', large());
    expect((await buffer(await store.get('key'))).equals(content)).toBe(true);
    expect(sandbox.faults.waiting()).toEqual([]);
    expect(sandbox.openUploads()).toEqual([]);
  });

  it('knows its own object when the answer to the end of an upload was lost', async () => {
    meet({ kind: 'answer_lost', operation: 'upload.complete' });
    await store.put('key', large());
    expect((await buffer(await store.get('key'))).equals(content)).toBe(true);
    expect(calls('upload.complete').at(-1)).toMatchObject({ status: 404, code: 'NoSuchUpload' });
    expect(sandbox.openUploads()).toEqual([]);
  });

  it('does not take an older object for its own', async () => {
    await store.put('key', Buffer.from('old'));
    meet({ kind: 'refused', operation: 'upload.complete' });
    await expect(store.put('key', large())).rejects.toMatchObject({ kind: 'refused', code: 'AccessDenied' });
    expect(String(await buffer(await store.get('key')))).toBe('old');
    expect(sandbox.openUploads()).toEqual([]);
  });

  it.each([
    ['full', 'full', 'XMinioStorageFull'],
    ['refused', 'refused', 'AccessDenied'],
    ['slow_down', 'away', 'SlowDown'],
  ] as const)('stops at the first part that is %s, and throws the parts away', async (kind, told, code) => {
    const before = sandbox.log.length;
    meet({ kind, operation: 'upload.part', times: 50 });
    const body = large();
    await expect(store.put('key', body)).rejects.toMatchObject({ kind: told, code });
    expect(body.destroyed).toBe(true);
    expect(sandbox.openUploads()).toEqual([]);
    expect(sandbox.keys()).toEqual([]);
    expect(calls('upload.part', before).length).toBeLessThanOrEqual(6); // two under way, three times each
  });

  it('does not wait for a slow body once a part has failed', async () => {
    const slow = new Readable({ read() {} });
    slow.push(Buffer.alloc(20 * mebibyte));
    meet({ kind: 'full', operation: 'upload.part' });
    await expect(store.put('key', slow)).rejects.toMatchObject({ kind: 'full' });
    expect(slow.destroyed).toBe(true);
    expect(sandbox.openUploads()).toEqual([]);
  });

  it('lists nothing of an upload in which the store died', async () => {
    meet({ kind: 'dies', atByte: content.length / 2 });
    await expect(store.put('key', large())).rejects.toMatchObject({ kind: 'away' });
    sandbox.faults.clear();
    expect(await store.head('key')).toBeNull();
    expect(sandbox.keys()).toEqual([]);
    expect(sandbox.openUploads()).toHaveLength(1); // nobody could be told
  });

  it('throws away what a dead process or store left behind, days later', async () => {
    await store.put('fresh', Buffer.from('a'));
    meet({ kind: 'dies', atByte: content.length / 2 });
    await expect(store.put('key', large())).rejects.toMatchObject({ kind: 'away' });
    sandbox.faults.clear();
    expect(sandbox.openUploads()).not.toEqual([]);
    await open().put('fresh', Buffer.from('a'));
    expect(sandbox.openUploads()).not.toEqual([]); // it may still be under way
    sandbox.ageUploads(3 * 24 * 3_600_000);
    await open({ prefix: 'elsewhere/' }).put('fresh', Buffer.from('a'));
    expect(sandbox.openUploads()).not.toEqual([]); // not ours
    meet({ kind: 'refused', operation: 'upload.list' });
    await open().put('fresh', Buffer.from('a')); // keys that may not look are good for the rest
    expect(sandbox.openUploads()).not.toEqual([]);
    await open().put('fresh', Buffer.from('a'));
    expect(sandbox.openUploads()).toEqual([]);
    await sandbox.remove('elsewhere/fresh');
  });

  it.each([
    ['cut', { kind: 'away', code: 'ECONNRESET' }],
    ['stalls', { kind: 'away', code: 'TimeoutError' }],
  ] as const)('fails a read that is %s in the middle', async (kind, told) => {
    await store.put('key', content);
    meet({ kind, operation: 'get', atByte: content.length / 2 });
    await expect(buffer(await open({ timeoutMs: impatientMs }).get('key'))).rejects.toMatchObject(told);
  });

  it('waits for a reader that takes its time', async () => {
    await store.put('key', content);
    let received = 0;
    for await (const chunk of await store.get('key')) {
      if (received === 0) await delay(2.5 * timeoutMs); // longer than the store itself may be silent
      received += (chunk as Buffer).length;
    }
    expect(received).toBe(content.length);
  });

  it('lets its connections go', async () => {
    const closing = open();
    await closing.put('key', content);
    const unread = await closing.get('key');
    const ended = new Promise((resolve) => unread.once('error', resolve));
    closing.close();
    unread.resume();
    await expect(ended).resolves.toMatchObject({ kind: 'away' });
  });

  it('ends what it has asked when it is closed, and asks no more', async () => {
    const closing = open({ timeoutMs: 60_000 });
    meet({ kind: 'hangs', operation: 'list', times: 9 }, { kind: 'hangs', operation: 'put', times: 9 });
    const asked = [firstOf(closing), closing.put('key', Buffer.from('a'))].map((call) =>
      call.then(
        () => 'done',
        ({ kind }: { kind: string }) => kind,
      ),
    );
    await delay(300); // both are under way
    closing.close();
    expect(await Promise.all(asked)).toEqual(['away', 'away']);
    await expect(closing.head('key')).rejects.toMatchObject({ kind: 'away', code: 'Closed' });
  });
});

const firstOf = (store: ObjectStore) => store.list('')[Symbol.asyncIterator]().next();

function* slices(content: Buffer) {
  for (let from = 0; from < content.length; from += 100_000) yield content.subarray(from, from + 100_000);
}

import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import type { ObjectStore } from '../storage/object-store.ts';
import { openBackupWriter } from './backup-writer.ts';

/** Takes the first bytes, and no more of them before it is stopped. */
function makeStuckStore(stop: AbortSignal) {
  const { promise: stuck, resolve: tellStuck } = Promise.withResolvers<void>();
  const stopped = new Promise<never>((_resolve, reject) => {
    stop.addEventListener('abort', () => reject(new Error('stopped')));
  });
  stopped.catch(() => {});
  const put = (_key: string, body: NodeJS.ReadableStream) =>
    pipeline(body, async (bytes) => {
      for await (const _ of bytes) {
        tellStuck();
        await stopped;
      }
    });
  return { stuck, store: { put } as unknown as ObjectStore }; // all that a writer asks of it
}

it('can be aborted in the middle of a file: whoever adds it is told, and the process lives', async () => {
  const stop = new AbortController();
  const { stuck, store } = makeStuckStore(stop.signal);
  const writer = openBackupWriter({
    store,
    name: 'a backup',
    stem: 'data.tar.gz',
    volumeBytes: 1_000_000,
    compression: 'gzip',
    recipient: null,
    changedAt: new Date(),
  });
  const added = writer.add(
    'file',
    Array.from({ length: 64 }, () => randomBytes(65_536)),
  );
  added.catch(() => {}); // looked at below
  await stuck;
  stop.abort();
  await writer.abort(new Error('enough'));
  await expect(added).rejects.toThrow();
});

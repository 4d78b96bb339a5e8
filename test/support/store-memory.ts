/** A process of its own that puts a large object and reads it again, and says how much memory that took: `store-memory.ts SETTINGS MEBIBYTES`. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { StoreSettings } from '../../src/config-stores.ts';
import { openObjectStore } from '../../src/storage/open-object-store.ts';

const mebibyte = 1024 * 1024;
const [settings = '', size = ''] = process.argv.slice(2);
const store = openObjectStore(JSON.parse(settings) as StoreSettings, { publicUrl: '', linkSecrets: null }); // of the test's own making

const hashOf = { sent: createHash('sha256'), read: createHash('sha256') };
async function* content() {
  for (let sent = 0; sent < Number(size) * 16; sent++) {
    const piece = Buffer.alloc(mebibyte / 16, sent % 251);
    hashOf.sent.update(piece);
    yield piece;
  }
}

await store.put('warm', Buffer.alloc(mebibyte)); // modules and connections are no part of what is measured
const before = process.memoryUsage.rss();
let peak = before;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 2);
await store.put('large', Readable.from(content(), { objectMode: false }));
const putPeak = peak;
for await (const chunk of await store.get('large')) hashOf.read.update(chunk as Buffer);
clearInterval(watch);
store.close();
console.log(
  JSON.stringify({
    putMebibytes: (putPeak - before) / mebibyte,
    peakMebibytes: (peak - before) / mebibyte,
    isSame: hashOf.sent.digest('hex') === hashOf.read.digest('hex'),
  }),
);

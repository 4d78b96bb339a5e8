import { Readable } from 'node:stream';
import { StoreError } from './object-store.ts';

export interface WholeStreamOptions {
  /** How many there must be; null where the store does not say. */
  bytes: number | null;
  /** For the next bytes while somebody waits for them; a slow reader is no fault of the store. Null: for ever. */
  timeoutMs: number | null;
  signal?: AbortSignal | undefined;
  translate(error: unknown): Error;
}

/** What comes from a store, and fails when it ends early, or comes no more. */
export function wholeStream(source: Readable, { bytes, timeoutMs, signal, translate }: WholeStreamOptions): Readable {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>; // a byte stream gives nothing else
  let received = 0;
  const next = async (): Promise<Uint8Array | null> => {
    const timer = timeoutMs === null ? null : setTimeout(() => source.destroy(silent(timeoutMs)), timeoutMs);
    try {
      for (;;) {
        const { done, value } = await chunks.next();
        if (done) break;
        received += value.byteLength;
        if (value.byteLength > 0) return value;
      }
    } finally {
      if (timer) clearTimeout(timer);
    }
    if (bytes !== null && received !== bytes) throw tooShort(received, bytes);
    return null;
  };
  const whole = new Readable({
    read() {
      next().then(
        (chunk) => this.push(chunk),
        (error: unknown) => this.destroy(signal?.aborted ? signal.reason : translate(error)),
      );
    },
    destroy(error, done) {
      signal?.removeEventListener('abort', stop);
      source.destroy();
      done(error);
    },
  });
  const stop = () => whole.destroy(signal?.reason);
  source.on('error', () => {}); // told by the iterator, or of no interest once nobody reads
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  return whole;
}

const tooShort = (received: number, bytes: number) =>
  new StoreError('damaged', 'UnexpectedEnd', `${received} bytes came of ${bytes}`);
const silent = (timeoutMs: number) =>
  new StoreError('away', 'TimeoutError', `the store sent nothing for ${timeoutMs} ms`);

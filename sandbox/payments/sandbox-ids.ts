import { createHash } from 'node:crypto';
import type { SandboxStore } from './sandbox-store.ts';

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Ids that look random and are the same again for the same seed. */
export class SandboxIds {
  readonly #seed: string;
  readonly #counters;

  constructor(seed: string, store: SandboxStore) {
    this.#seed = seed;
    this.#counters = store.collection<number>('id-counters');
  }

  /** `next('cs_test_', 24)`; `alphabet` for those that are upper case only. */
  next(prefix: string, length: number, alphabet: string = letters): string {
    const count = (this.#counters.get(prefix) ?? 0) + 1;
    this.#counters.set(prefix, count);
    let id = '';
    for (let block = 0; id.length < length; block++) {
      const bytes = createHash('sha256').update(`${this.#seed} ${prefix} ${count} ${block}`).digest();
      for (const byte of bytes) id += alphabet[byte % alphabet.length];
    }
    return prefix + id.slice(0, length);
  }
}

import { createHash } from 'node:crypto';
import type { Answer } from './answer.ts';
import type { SandboxClock } from './sandbox-clock.ts';
import type { Collection, SandboxStore } from './sandbox-store.ts';

/** A request that may be sent again. */
export interface KeyedRequest {
  /** Keys of different scopes have nothing to do with each other. */
  scope: string;
  key: string;
  /** What has to be the same for it to be the same request: path and parameters. */
  fingerprint: unknown;
  lifeMs: number;
}

interface RememberedAnswer {
  fingerprint: string;
  answer: Answer;
  until: number;
}

export type KeyState = { state: 'new' | 'running' | 'other_parameters' } | { state: 'answered'; answer: Answer };

/** What was answered to which key. */
export class IdempotencyKeys {
  readonly #clock: SandboxClock;
  readonly #remembered: Collection<RememberedAnswer>;
  readonly #running = new Map<string, string>();

  constructor(clock: SandboxClock, store: SandboxStore) {
    this.#clock = clock;
    this.#remembered = store.collection('idempotency-keys');
  }

  /** A `new` one is running from here on, until it is remembered or forgotten. */
  begin(request: KeyedRequest): KeyState {
    const name = nameOf(request);
    const fingerprint = fingerprintOf(request);
    const running = this.#running.get(name);
    if (running !== undefined) return { state: running === fingerprint ? 'running' : 'other_parameters' };
    const known = this.#remembered.get(name);
    if (known && known.until > this.#clock.nowMs()) {
      if (known.fingerprint !== fingerprint) return { state: 'other_parameters' };
      return { state: 'answered', answer: known.answer };
    }
    if (known) this.#remembered.delete(name);
    this.#running.set(name, fingerprint);
    return { state: 'new' };
  }

  remember(request: KeyedRequest, answer: Answer): void {
    const until = this.#clock.nowMs() + request.lifeMs;
    this.#remembered.set(nameOf(request), { fingerprint: fingerprintOf(request), answer, until });
  }

  /** The answer is out, or there is none: the next with this key no longer meets it. */
  end(request: KeyedRequest): void {
    this.#running.delete(nameOf(request));
  }
}

function nameOf({ scope, key }: KeyedRequest): string {
  return `${scope} ${key}`;
}

function fingerprintOf({ fingerprint }: KeyedRequest): string {
  return createHash('sha256').update(JSON.stringify(fingerprint)).digest('base64url');
}

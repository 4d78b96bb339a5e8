import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SandboxKeys } from '../sandbox-keys.ts';
import type { Collection, SandboxStore } from '../sandbox-store.ts';

const usualLifeSeconds = 32_400;

/**
 * Access tokens that say themselves until when they are good, so that they outlive a restart. Their life is that of the clock on
 * the wall, which is the one that the SDK goes by: moving the sandbox's clock leaves them alone.
 */
export class PayPalTokens {
  readonly #keys: Pick<SandboxKeys, 'paypalClientId' | 'paypalClientSecret'>;
  readonly #settings: Collection<number>;

  constructor(keys: SandboxKeys, store: SandboxStore) {
    this.#keys = keys;
    this.#settings = store.collection('paypal-tokens');
  }

  get lifeSeconds(): number {
    return this.#settings.get('lifeSeconds') ?? usualLifeSeconds;
  }

  setLife(seconds: number): void {
    this.#settings.set('lifeSeconds', seconds);
  }

  /** None of those that are out is good any longer. */
  revokeAll(): void {
    this.#settings.set('generation', this.#generation + 1);
  }

  areKeys(clientId: string, clientSecret: string): boolean {
    return clientId === this.#keys.paypalClientId && clientSecret === this.#keys.paypalClientSecret;
  }

  issue(): string {
    const content = `${this.#generation}-${Date.now() + this.lifeSeconds * 1000}`;
    return `A21AA-${content}-${this.#seal(content)}`;
  }

  isGood(token: string): boolean {
    const [, generation, until, seal = ''] = /^A21AA-(\d+)-(\d+)-(\w+)$/.exec(token) ?? [];
    const expected = Buffer.from(this.#seal(`${generation}-${until}`));
    const given = Buffer.from(seal);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    return Number(generation) === this.#generation && Number(until) > Date.now();
  }

  get #generation(): number {
    return this.#settings.get('generation') ?? 0;
  }

  #seal(content: string): string {
    return createHmac('sha256', this.#keys.paypalClientSecret).update(content).digest('hex');
  }
}

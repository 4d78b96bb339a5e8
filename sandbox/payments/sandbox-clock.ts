/**
 * The time inside the sandbox. `advance` lets everything in it grow older at once, while whoever talks to it keeps its own clock.
 * So every time on the wire is said from that clock's point of view: after `advance(7 days)` an object made just now has been
 * created a week ago, and a hold that lasted a week ends now.
 */
export class SandboxClock {
  #aheadMs: number;
  readonly #moved: () => void;

  constructor(aheadMs = 0, moved: () => void = () => {}) {
    this.#aheadMs = aheadMs;
    this.#moved = moved;
  }

  /** What is kept, is kept in this time. */
  now(): Date {
    return new Date(this.nowMs());
  }

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** A time of ours as it is written on the wire, now. */
  toWire(at: Date | number): Date {
    return new Date(Number(at) - this.#aheadMs);
  }

  /** A time that was read from the wire, now. */
  fromWire(at: Date | number): Date {
    return new Date(Number(at) + this.#aheadMs);
  }

  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError('the clock only moves forward');
    this.#aheadMs += Math.round(ms);
    this.#moved();
  }
}

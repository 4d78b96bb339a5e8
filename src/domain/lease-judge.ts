import { hostLeaseMs } from './bot.ts';

/**
 * Says whether a process may call a lease ended. While Postgres was away nobody could renew; so only one that has itself reached
 * Postgres for a whole lease without a break judges others. All times are milliseconds of one clock.
 */
export class LeaseJudge {
  #since = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  reached(at: number): void {
    if (at - this.#last > hostLeaseMs) this.#since = at;
    this.#last = at;
  }

  mayJudge(leaseMs: number): boolean {
    return this.#last - this.#since > leaseMs;
  }
}

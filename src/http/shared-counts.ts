import type { FastifyRateLimitStore } from '@fastify/rate-limit';
import type { Redis } from 'ioredis';

/** Adds to a count, which begins anew when its window is over: the count, and how long its window lasts yet. */
const addScript = `
  local current = redis.call('INCRBY', KEYS[1], ARGV[1])
  local ttl = redis.call('PTTL', KEYS[1])
  if ttl < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    ttl = tonumber(ARGV[2])
  end
  return { current, ttl }`;

/** Of what is left of a limit, so much may be served before the others hear of it, and for so long. */
const untoldShare = 1 / 20;
const untoldMs = 1_000;
const maxKnown = 20_000;

interface Count {
  /** What all have told, ourselves included. */
  shared: number;
  /** What we served since. */
  untold: number;
  endsAt: number;
  askedAt: number;
}

/**
 * Counts that web processes share in Redis, without a call for each request: on the way of an order it would be a fifth of the work.
 * 1. The first request of a key asks Redis. 2. Those that follow are counted here while they are few beside what is left of
 * the limit; then they are told, and the answer is what all have told. The nearer the limit the more often, in the end each time.
 * 3. Over the limit nobody is asked any more: whoever goes on is refused from here until the window ends.
 */
export function sharedCountsIn(redis: Pick<Redis, 'eval'>, prefix: string) {
  return class SharedCounts implements FastifyRateLimitStore {
    readonly #known = new Map<string, Count>();

    incr(key: string, done: Parameters<FastifyRateLimitStore['incr']>[1], windowMs: number, max: number): void {
      const now = Date.now();
      const count = this.#known.get(key);
      if (!count || count.endsAt <= now) {
        this.#tell(key, 1, windowMs, now, done);
        return;
      }
      const current = count.shared + count.untold + 1;
      if (current <= max) count.untold++;
      const isToldNow = count.untold > (max - current) * untoldShare || now - count.askedAt >= untoldMs;
      if (current > max || !isToldNow) {
        done(null, { current, ttl: count.endsAt - now });
        return;
      }
      const { untold } = count;
      count.shared += untold; // at once, or what is served until the answer would not count
      count.untold = 0;
      count.askedAt = now;
      this.#tell(key, untold, windowMs, now, done);
    }

    child(): FastifyRateLimitStore {
      return this;
    }

    #tell(
      key: string,
      added: number,
      windowMs: number,
      askedAt: number,
      done: Parameters<FastifyRateLimitStore['incr']>[1],
    ): void {
      // what our own script returns
      const answer = redis.eval(addScript, 1, prefix + key, added, windowMs) as Promise<[number, number]>;
      answer.then(
        ([current, ttl]) => {
          this.#hear(key, { shared: current, untold: 0, askedAt, endsAt: askedAt + ttl });
          done(null, { current, ttl });
        },
        (error: Error) => done(error),
      );
    }

    #hear(key: string, heard: Count): void {
      const count = this.#known.get(key);
      if (count && heard.endsAt < count.endsAt + untoldMs) {
        count.shared = Math.max(count.shared, heard.shared); // answers may overtake each other
        return;
      }
      // A new window. Rather than remember all of whom there are too many, what is not told yet is served for nothing.
      if (this.#known.size >= maxKnown) this.#known.clear();
      this.#known.set(key, heard);
    }
  };
}

import type { Redis } from 'ioredis';
import { z } from 'zod';
import { listen } from '../db/notify.ts';
import type { Database } from '../db/pool.ts';
import { findSessionActors } from '../db/sessions.ts';
import { type Actor, roleSchema } from '../domain/user.ts';
import type { Logger } from '../log.ts';

export interface SessionCacheDeps {
  database: Database;
  /** Null where there is no Redis: then Postgres is asked. */
  redis: Redis | null;
  /** Keeps apart what several engines have in one Redis. */
  prefix: string;
  log: Logger;
  /** How long after a connection to Redis nothing is believed that is there. */
  distrustMs?: number;
}

/** A sign-out must hold everywhere within a second, also for a process that was not told. */
const keepMs = 800;
const keepInRedisSeconds = 30;
/** What changed while Redis was away has no mark there; until it comes to its end, an old answer may still stand. */
const distrustMs = keepInRedisSeconds * 1_000;
/** Longer than any read of Postgres that began before the change can take to end. */
const keepMarkSeconds = 90;
const maxKept = 50_000;

/** Stands in Redis where a session changed: ask Postgres, and do not store what you find. */
const changedMark = 'changed';
const storedActor = z.object({ userId: z.uuid(), email: z.string(), role: roleSchema });

/**
 * Who a session belongs to, as it is now. Looked for in three places:
 * 1. in this process, for less than a second; told of changes (`twolane_sessions`), it forgets at once;
 * 2. in Redis, when there is one, for half a minute; a change leaves a mark there that no late reader can overwrite. Where a mark
 *    may be missing (Redis was away, or a mark could not be set) nothing is read from there for half a minute;
 * 3. in Postgres, which is the truth. Everybody who asks in the same tick shares one query.
 */
export class SessionCache {
  readonly #deps: SessionCacheDeps;
  readonly #kept = new Map<string, { actor: Actor | null; until: number }>();
  readonly #asked = new Map<string, Promise<Actor | null>>();
  /** Grows with every change: what was looked up before it is not kept. */
  #changes = 0;
  #distrustUntil = Number.NEGATIVE_INFINITY;
  #next: { ids: string[]; answer: Promise<Map<string, Actor>> } | undefined;
  readonly #listener;

  constructor(deps: SessionCacheDeps) {
    this.#deps = deps;
    if (deps.redis?.status === 'ready') this.#distrust();
    deps.redis?.on('ready', () => this.#distrust());
    this.#listener = listen(
      deps.database.url,
      ['twolane_sessions'],
      (_channel, payload) => void this.forget(payload ? payload.split(',') : null),
      deps.log,
    );
  }

  /** Null when the session ended, or its account is gone. */
  find(sessionId: string): Actor | null | Promise<Actor | null> {
    const kept = this.#kept.get(sessionId);
    if (kept && kept.until > performance.now()) return kept.actor;
    const asked = this.#asked.get(sessionId);
    if (asked) return asked;
    const asking = this.#lookUp(sessionId).finally(() => this.#asked.delete(sessionId));
    this.#asked.set(sessionId, asking);
    return asking;
  }

  /** These sessions changed (null: any may have). Resolves when no process can take an old answer out of Redis any more. */
  async forget(sessionIds: readonly string[] | null): Promise<void> {
    this.#changes++;
    if (sessionIds === null) return this.#kept.clear();
    for (const sessionId of sessionIds) {
      this.#kept.delete(sessionId);
      this.#asked.delete(sessionId);
    }
    const { redis, log } = this.#deps;
    if (!redis) return;
    try {
      await Promise.all(sessionIds.map((id) => redis.set(this.#key(id), changedMark, 'EX', keepMarkSeconds)));
    } catch (error) {
      this.#distrust();
      log.warn({ error: (error as Error).message }, 'changed session not marked in redis');
    }
  }

  #distrust(): void {
    this.#distrustUntil = performance.now() + (this.#deps.distrustMs ?? distrustMs);
  }

  async close(): Promise<void> {
    await this.#listener.close();
  }

  async #lookUp(sessionId: string): Promise<Actor | null> {
    const changes = this.#changes;
    const actor = await this.#findOutside(sessionId);
    if (changes === this.#changes) {
      if (this.#kept.size >= maxKept) this.#kept.clear();
      this.#kept.set(sessionId, { actor, until: performance.now() + keepMs });
    }
    return actor;
  }

  async #findOutside(sessionId: string): Promise<Actor | null> {
    const { redis, log } = this.#deps;
    if (!redis || performance.now() < this.#distrustUntil) return this.#findInPostgres(sessionId);
    let isMarked = false;
    try {
      const text = await redis.get(this.#key(sessionId));
      isMarked = text === changedMark;
      if (text !== null && !isMarked) return storedActor.parse(JSON.parse(text));
    } catch (error) {
      log.debug({ error: (error as Error).message }, 'session not read from redis');
    }
    const actor = await this.#findInPostgres(sessionId);
    if (actor && !isMarked)
      redis
        .set(this.#key(sessionId), JSON.stringify(actor), 'EX', keepInRedisSeconds, 'NX')
        .catch((error: Error) => log.debug({ error: error.message }, 'session not stored in redis'));
    return actor;
  }

  async #findInPostgres(sessionId: string): Promise<Actor | null> {
    this.#next ??= this.#collect();
    this.#next.ids.push(sessionId);
    return (await this.#next.answer).get(sessionId) ?? null;
  }

  #collect() {
    const ids: string[] = [];
    const answer = new Promise((resolve) => setImmediate(resolve)).then(() => {
      this.#next = undefined;
      return findSessionActors(this.#deps.database.pool, ids);
    });
    return { ids, answer };
  }

  #key(sessionId: string): string {
    return `${this.#deps.prefix}:session:${sessionId}`;
  }
}

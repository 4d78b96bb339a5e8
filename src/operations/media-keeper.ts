import { setTimeout as delay } from 'node:timers/promises';
import { clearServiceFault, reportServiceFault } from '../db/service-faults.ts';
import type { Db } from '../db/sql.ts';
import type { Logger } from '../log.ts';
import { AssetChangedError } from '../storage/asset-index.ts';
import { type ObjectStore, StoreError } from '../storage/object-store.ts';
import type { MediaLibrary } from './media-library.ts';
import { compareMedia, sendAssets } from './sync-media.ts';

export interface MediaKeeperDeps {
  /** Null: this server alone has the media. */
  store: ObjectStore | null;
  library: MediaLibrary;
  db: Db;
  log: Logger;
}

interface KeeperTimes {
  lookMs: number;
  firstRetryMs: number;
  longestRetryMs: number;
}

const progressMs = 2_000;

/**
 * Brings the assets into the media store, beside the work of a web process, which waits for nothing of it.
 *
 * 1. What the store lacks is sent. Several processes may do so at once: a name is a content.
 * 2. Once all is there, browsers are sent to the store, if they can see it.
 * 3. It is looked at again every few minutes. While it is away, or lacks something, this server has the media, the fault stands in
 *    /readyz, and it is tried again, ever more seldom, as long as the process lives.
 */
export class MediaKeeper {
  readonly #deps: MediaKeeperDeps;
  readonly #times: KeeperTimes;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  #lastFailure: string | undefined;

  constructor(
    deps: MediaKeeperDeps,
    { lookMs = 300_000, firstRetryMs = 1_000, longestRetryMs = 60_000 }: Partial<KeeperTimes> = {},
  ) {
    this.#deps = deps;
    this.#times = { lookMs, firstRetryMs, longestRetryMs };
    this.#running = deps.store ? this.#run(deps.store) : this.#clearFault(); // of a store that is no longer set up
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#deps.store?.close();
    await this.#running;
  }

  async #run(store: ObjectStore): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; ) {
      const isDone = await this.#unlessStopped(this.#sync(store));
      failures = isDone ? 0 : failures + 1;
      const waitMs = isDone ? this.#times.lookMs : this.#backoffMs(failures);
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => {}); // stopped
    }
  }

  /** What a frozen store does not answer is not waited for. */
  #unlessStopped(work: Promise<boolean>): Promise<boolean> {
    const { promise: stopped, resolve } = Promise.withResolvers<boolean>();
    const { signal } = this.#stop;
    const stop = () => resolve(false);
    signal.addEventListener('abort', stop, { once: true });
    return Promise.race([work, stopped]).finally(() => signal.removeEventListener('abort', stop));
  }

  async #sync(store: ObjectStore): Promise<boolean> {
    const { library, log } = this.#deps;
    const { signal } = this.#stop;
    try {
      const { missing } = await compareMedia(store, library.assets.all);
      if (missing.length > 0) await this.#send(store, missing);
      if (signal.aborted) return false;
      library.setInStore(true);
      if (this.#lastFailure !== undefined) log.info({ store: store.place }, 'media store reached');
      this.#lastFailure = undefined;
      return await this.#clearFault();
    } catch (error) {
      if (signal.aborted) return false;
      library.setInStore(false);
      await this.#tellFailure(store, error);
      return false;
    }
  }

  async #send(store: ObjectStore, missing: Parameters<typeof sendAssets>[1]): Promise<void> {
    const { log, library } = this.#deps;
    const startedAt = performance.now();
    const done = { sent: 0, bytes: 0, of: missing.length };
    let toldAt = startedAt;
    log.info({ store: store.place, assets: library.assets.all.length, missing: missing.length }, 'media compared');
    await sendAssets(store, missing, {
      signal: this.#stop.signal,
      onSent({ bytes }) {
        done.sent += 1;
        done.bytes += bytes;
        if (performance.now() - toldAt < progressMs) return;
        toldAt = performance.now();
        log.info(done, 'media sent in part');
      },
    });
    log.info({ ...done, ms: Math.round(performance.now() - startedAt) }, 'media sent');
  }

  async #tellFailure(store: ObjectStore, error: unknown): Promise<void> {
    const { db, log } = this.#deps;
    const { code, message } = faultOf(error);
    // Once for each reason: it may be away for days.
    if (this.#lastFailure !== code) log.warn({ store: store.place, code, error: message }, 'media not stored');
    this.#lastFailure = code;
    await reportServiceFault(db, { service: 'media', code, message }).catch((cause: Error) =>
      log.debug({ error: cause.message }, 'media fault not reported'),
    );
  }

  /** False when the database is away. */
  async #clearFault(): Promise<boolean> {
    const { db, log } = this.#deps;
    try {
      await clearServiceFault(db, 'media');
      return true;
    } catch (error) {
      log.debug({ error: (error as Error).message }, 'media fault not cleared');
      return false;
    }
  }

  #backoffMs(failures: number): number {
    const { firstRetryMs, longestRetryMs } = this.#times;
    return Math.min(longestRetryMs, firstRetryMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
  }
}

function faultOf(error: unknown): { code: string; message: string } {
  const { message } = error as Error;
  if (error instanceof StoreError) return { code: error.kind, message };
  return { code: error instanceof AssetChangedError ? 'asset_changed' : 'unknown', message };
}

import type { ServerResponse } from 'node:http';
import type { Database } from '../../db/pool.ts';
import { ServiceUnavailableError } from '../../domain/errors.ts';
import type { Logger } from '../../log.ts';
import type { MediaLibrary } from '../../operations/media-library.ts';
import { BoardViewers } from './board-viewers.ts';
import { BoardWatch } from './board-watch.ts';

export interface BoardFeedDeps {
  database: Database;
  media: Pick<MediaLibrary, 'urlOf'>;
  log: Logger;
}

const checkMs = 1_000;

/** The live board of one web process, for all its viewers. It costs nothing while nobody looks. */
export class BoardFeed {
  readonly #deps: BoardFeedDeps;
  readonly #viewers: BoardViewers;
  readonly #keepForMs: number;
  readonly #recountMs: number;
  #watch: Promise<BoardWatch> | undefined;
  #lastLookAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(deps: BoardFeedDeps, { keepForMs = 30_000, recountMs = 60_000 } = {}) {
    this.#deps = deps;
    this.#viewers = new BoardViewers(deps.log);
    this.#keepForMs = keepForMs;
    this.#recountMs = recountMs;
  }

  /** The whole board as JSON. */
  async read(): Promise<string> {
    return (await (await this.#look()).picture()).json;
  }

  /** Sends the stream to a viewer; `open` is called once it can begin. Throws before that, when it cannot. */
  async follow(lastEventId: string | undefined, open: () => ServerResponse): Promise<void> {
    this.#viewers.assertRoom();
    await (await this.#look()).follow(lastEventId, open);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#viewers.close();
    await this.#endWatch();
    this.#viewers.end(); // who was let in at the last moment
  }

  #look(): Promise<BoardWatch> {
    if (this.#isClosed) throw new ServiceUnavailableError('The board');
    this.#lastLookAt = performance.now();
    this.#timer ??= setInterval(() => void this.#endWatchUnlooked(), Math.min(checkMs, this.#keepForMs)).unref();
    this.#watch ??= BoardWatch.open({ ...this.#deps, viewers: this.#viewers, recountMs: this.#recountMs }).catch(
      (error: Error) => {
        this.#watch = undefined;
        throw error;
      },
    );
    return this.#watch;
  }

  async #endWatchUnlooked(): Promise<void> {
    if (this.#viewers.count > 0) this.#lastLookAt = performance.now();
    if (performance.now() - this.#lastLookAt > this.#keepForMs) await this.#endWatch();
  }

  async #endWatch(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const watch = this.#watch;
    this.#watch = undefined;
    const opened = await watch?.catch(() => undefined); // it never opened: told to who looked
    await opened?.close();
  }
}

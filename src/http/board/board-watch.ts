import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { findEventHorizon } from '../../db/board.ts';
import { countBots } from '../../db/bots.ts';
import { type Listener, listen } from '../../db/notify.ts';
import { listEventsAfter, type StreamedEvent } from '../../db/order-events.ts';
import type { Database } from '../../db/pool.ts';
import { ServiceUnavailableError } from '../../domain/errors.ts';
import type { Logger } from '../../log.ts';
import type { MediaLibrary } from '../../operations/media-library.ts';
import { type BoardPicture, type BoardState, eventIdAt, paintBoard } from './board-picture.ts';
import { addEvents, readCountsAt, readTally } from './board-tally.ts';
import type { BoardViewers } from './board-viewers.ts';
import { compareCursors, compareDigits, parseCursor } from './event-cursor.ts';
import { botsFrame, orderFrames, retryFrame, snapshotFrame } from './event-frames.ts';
import { EventRing } from './event-ring.ts';
import { Rounds } from './rounds.ts';

const pageSize = 1_000;
const netMs = 1_000;
const roundGapMs = 25;
const botsGapMs = 100;
const pictureGapMs = 200;
const pictureKeepMs = 1_000;
const heldTooLongMs = 2_000;
const failingTooLongMs = 5_000;

export interface BoardWatchDeps {
  database: Database;
  media: Pick<MediaLibrary, 'urlOf'>;
  viewers: BoardViewers;
  recountMs: number;
  log: Logger;
}

/**
 * Follows all orders, while somebody looks at the board.
 *
 * 1. It begins at a snapshot: the cursor stands before the oldest transaction that still runs, and the counts are those of
 *    that place.
 * 2. A round reads on from the cursor: when something was announced, and at least each second.
 * 3. Each event goes into the tally, the ring and to the viewers: once, in the order of (xid, id).
 * 4. A viewer begins with a picture of the board, or with what it missed, and is told what comes after that.
 * 5. A transaction that stays open holds back every event after it. When one has waited for 2 s, the viewers get whole
 *    pictures instead, which count what is held back, until it clears.
 */
export class BoardWatch {
  readonly #deps: BoardWatchDeps;
  readonly #rounds = new Rounds({ go: () => this.#goRound(), gapMs: roundGapMs, retryMs: netMs });
  #state: BoardState;
  #ring: EventRing;
  /** Events that are committed but not read: they wait for an older transaction, or came during the last round. */
  #hasUntold = false;
  #listener: Listener | undefined;
  #botsReadAt = Number.NEGATIVE_INFINITY;
  #countedAt = performance.now();
  #failingSince: number | undefined;
  #picture: BoardPicture | undefined;
  #painting: Promise<BoardPicture> | undefined;
  #heldContent: string | undefined;
  #nextHeldPictureAt = 0;

  constructor(deps: BoardWatchDeps, state: BoardState) {
    this.#deps = deps;
    this.#state = state;
    this.#ring = new EventRing(state.tally.cursor);
  }

  static async open(deps: BoardWatchDeps): Promise<BoardWatch> {
    const { pool, url } = deps.database;
    const [tally, bots] = await Promise.all([readTally(pool), countBots(pool)]).catch(refuse);
    const watch = new BoardWatch(deps, { tally, bots, isHeld: false });
    watch.#listener = listen(url, ['twolane_events', 'twolane_bots'], () => watch.#rounds.poke(), deps.log);
    return watch;
  }

  async close(): Promise<void> {
    await this.#rounds.close();
    await Promise.allSettled([this.#painting, this.#listener?.close()]);
  }

  /** The board with everything that was committed before the call; painted at most every 200 ms, however many ask. */
  async picture(): Promise<BoardPicture> {
    const askedAt = performance.now();
    await this.#rounds.ask();
    const { tally } = this.#state;
    const hasUntold = this.#hasUntold;
    const isTold = !hasUntold && this.#picture?.state === this.#state;
    if (this.#picture && isTold && performance.now() - this.#picture.paintedAt < pictureKeepMs) return this.#picture;
    for (;;) {
      this.#painting ??= this.#paintSoon().finally(() => {
        this.#painting = undefined;
      });
      const picture = await this.#painting;
      if (picture.paintedAt >= askedAt) return picture;
      // begun before the call: good enough if its cursor stands behind all there was to show
      if (!hasUntold && compareCursors(picture.state.tally.cursor, tally.cursor) >= 0) return picture;
    }
  }

  /** Lets a viewer in; `open` is called when there is something to tell it. What comes after that follows by itself. */
  async follow(lastEventId: string | undefined, open: () => ServerResponse): Promise<void> {
    await this.#rounds.ask();
    const missed = this.#findMissed(lastEventId);
    if (missed) return this.#deps.viewers.add(open(), retryFrame + orderFrames(missed) + this.#botsFrame());
    for (;;) {
      const picture = await this.picture();
      const since = picture.state.isHeld ? [] : this.#ring.after(picture.state.tally.cursor);
      if (picture.state.isHeld !== this.#state.isHeld || !since) continue; // the world moved on while it was painted
      this.#heldContent = undefined; // this viewer may lack what the others were shown last
      return this.#deps.viewers.add(
        open(),
        retryFrame + snapshotFrame(picture) + orderFrames(since) + this.#botsFrame(picture.state),
      );
    }
  }

  /** Returns when the next round is due at the latest. */
  async #goRound(): Promise<number> {
    try {
      await this.#readEvents();
      const dueMs = Math.min(await this.#heedHeldEvents(), await this.#readBots());
      await this.#recount();
      this.#failingSince = undefined;
      return dueMs;
    } catch (error) {
      this.#failingSince ??= performance.now();
      this.#deps.log.warn({ error: (error as Error).message }, 'board not read');
      // a stream that stays open would look alive
      if (performance.now() - this.#failingSince > failingTooLongMs) this.#deps.viewers.end();
      return refuse(error);
    }
  }

  async #readEvents(): Promise<void> {
    for (;;) {
      const events = await listEventsAfter(this.#deps.database.pool, this.#state.tally.cursor, pageSize);
      if (events.length > 0) {
        this.#state = { ...this.#state, tally: addEvents(this.#state.tally, events) };
        this.#ring.push(events);
        if (!this.#state.isHeld) this.#deps.viewers.tell(orderFrames(events));
      }
      if (events.length < pageSize) return;
    }
  }

  async #heedHeldEvents(): Promise<number> {
    const { pool } = this.#deps.database;
    const { next, hasUntold, heldForMs } = await findEventHorizon(pool, this.#state.tally.cursor);
    this.#hasUntold = hasUntold;
    if (compareDigits(next, this.#state.tally.cursor.xid) < 0) await this.#beginAnew();
    if (heldForMs !== null && heldForMs > heldTooLongMs) await this.#showHeldEvents();
    else if (this.#state.isHeld) {
      const cleared = { ...this.#state, isHeld: false };
      this.#picture = await paintBoard(this.#deps, cleared);
      this.#state = cleared;
      this.#deps.viewers.tell(snapshotFrame(this.#picture));
    }
    if (heldForMs === null) return hasUntold ? roundGapMs : netMs;
    return Math.min(Math.max(heldForMs / 4, roundGapMs), 250);
  }

  async #showHeldEvents(): Promise<void> {
    if (!this.#state.isHeld) {
      this.#deps.log.warn('an open transaction holds back the board');
      this.#state = { ...this.#state, isHeld: true };
    }
    if (performance.now() < this.#nextHeldPictureAt || this.#deps.viewers.count === 0) return;
    const picture = await paintBoard(this.#deps, this.#state);
    const tookMs = performance.now() - picture.paintedAt;
    this.#nextHeldPictureAt = picture.paintedAt + Math.max(1_000, 5 * tookMs); // the longer it lasts, the more there is to count
    if (picture.content === this.#heldContent) return;
    this.#heldContent = picture.content;
    this.#picture = picture;
    this.#deps.viewers.tell(snapshotFrame(picture));
  }

  /** Transaction numbers never go back, so this is another database than before: a backup was put in its place. */
  async #beginAnew(): Promise<void> {
    this.#deps.log.warn('the database was replaced, the board begins anew');
    this.#state = { ...this.#state, tally: await readTally(this.#deps.database.pool), isHeld: true }; // until all have a new picture
    this.#ring = new EventRing(this.#state.tally.cursor);
  }

  async #readBots(): Promise<number> {
    const waitMs = this.#botsReadAt + botsGapMs - performance.now();
    if (waitMs > 0) return waitMs;
    this.#botsReadAt = performance.now();
    const bots = await countBots(this.#deps.database.pool);
    if (isDeepStrictEqual(bots, this.#state.bots)) return netMs;
    this.#state = { ...this.#state, bots };
    this.#deps.viewers.tell(this.#botsFrame());
    return netMs;
  }

  /** A move that was written down wrongly would be wrong on every wall for good. */
  async #recount(): Promise<void> {
    const { database, recountMs, viewers, log } = this.#deps;
    const { tally, isHeld } = this.#state;
    if (isHeld || performance.now() - this.#countedAt < recountMs) return;
    const counts = await readCountsAt(database.pool, tally.cursor);
    this.#countedAt = performance.now();
    if (isDeepStrictEqual(counts, tally.counts)) return;
    log.warn({ counted: counts, told: tally.counts }, 'board counts corrected');
    this.#state = { ...this.#state, tally: { ...tally, counts } };
    this.#ring = new EventRing(tally.cursor);
    this.#picture = await paintBoard(this.#deps, this.#state);
    viewers.tell(snapshotFrame(this.#picture));
  }

  /** Nothing for viewers who have been told these counts. */
  #botsFrame(told?: BoardState): string {
    return told?.bots === this.#state.bots ? '' : botsFrame(eventIdAt(this.#state), this.#state.bots);
  }

  #findMissed(lastEventId: string | undefined): StreamedEvent[] | null {
    const cursor = parseCursor(lastEventId ?? '');
    if (!cursor || this.#state.isHeld || compareCursors(cursor, this.#state.tally.cursor) > 0) return null;
    return this.#ring.after(cursor);
  }

  async #paintSoon(): Promise<BoardPicture> {
    const waitMs = this.#picture ? this.#picture.paintedAt + pictureGapMs - performance.now() : 0;
    if (waitMs > 0) await delay(waitMs);
    this.#picture = await paintBoard(this.#deps, this.#state);
    return this.#picture;
  }
}

function refuse(error: unknown): never {
  throw new ServiceUnavailableError('The board', error);
}

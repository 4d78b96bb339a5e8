const pendingListed = 200;
const completeShown = 50;
/** Fewer than this are left of a list that was cut off: it is time for a new one. */
const fewPending = 50;
const goneKept = 500;
/** A measured duration has the writing of both moves on top. */
const writingMs = 1_000;
/** Before every order that waits: what was in hand when we came was taken earlier. */
const beforeAll = -1e12;

/**
 * The board as this page knows it, from one snapshot and the moves after it. Counts follow every move. The lists of a
 * snapshot may be ahead of its counts, so a move changes them only when it is news.
 *
 * An order is `{ number, lane, status, place, eventId, isListed, botNumber, placedAt, startedAt, expectedAt, progress, completedAt }`.
 * `place` is its rank in its lane and stays with it: an order given back goes where it was. `isListed` as long as all we know
 * of it is from the snapshot.
 */
export class BoardState {
  counts = { pending: 0, processing: 0, complete: 0 };
  bots = { total: 0, idle: 0, processing: 0 };
  #orders = new Map();
  #complete = [];
  #gone = [];
  #lastPlace = 0;
  #isCutOff = false;
  #usualMs = null;
  #mayAskForDuration = true;

  constructor(board) {
    if (!board) return;
    this.counts = { ...board.counts };
    this.bots = board.bots;
    for (const order of board.processing) {
      this.#put({ ...order, status: 'processing', place: beforeAll + order.number });
      if (order.expectedAt) this.#usualMs = Date.parse(order.expectedAt) - Date.parse(order.startedAt);
    }
    for (const order of board.pending) this.#put({ ...order, status: 'pending', place: ++this.#lastPlace });
    for (const order of board.complete) this.#put({ ...order, status: 'complete' });
    this.#complete = board.complete.map(({ number }) => number);
    this.#isCutOff = board.pending.length >= pendingListed;
  }

  get pending() {
    return this.#withStatus('pending').sort(byPlace);
  }

  get processing() {
    return this.#withStatus('processing').sort((a, b) => a.startedAt.localeCompare(b.startedAt) || a.number - b.number);
  }

  get complete() {
    return this.#complete.map((number) => this.#orders.get(number));
  }

  /** The list of those who wait was cut off, and what we know of it is nearly used up. */
  get needsSnapshot() {
    return this.#isCutOff && this.#withStatus('pending').length < fewPending;
  }

  /** Something was started, and nothing has told yet how long an order takes. */
  get needsDuration() {
    return (
      this.#mayAskForDuration &&
      this.#usualMs === null &&
      this.processing.some(({ expectedAt, isListed }) => !expectedAt && !isListed)
    );
  }

  /** Takes from a later board what the moves do not say: until when the orders in hand are expected to take. */
  learnDurations({ processing }) {
    for (const { number, startedAt, expectedAt } of processing) {
      const order = this.#orders.get(number);
      if (order?.status !== 'processing' || order.isListed) continue;
      this.#mayAskForDuration = false; // when it does not say now, no board will: the handler cannot know
      if (!expectedAt) continue;
      this.#usualMs = Date.parse(expectedAt) - Date.parse(startedAt);
      Object.assign(order, { startedAt, expectedAt });
    }
    for (const order of this.processing) order.expectedAt ??= this.#expectedAfter(order.startedAt);
  }

  /** `eventId` is the id of the stream, `xid-id`. */
  apply({ number, lane, from, to, botNumber, at }, eventId) {
    if (from in this.counts) this.counts[from] -= 1;
    if (to in this.counts) this.counts[to] += 1;
    const id = Number(eventId.split('-')[1]);
    const before = this.#orders.get(number);
    if (before && !isNews(before, from, id)) {
      before.eventId = Math.max(before.eventId, id);
      return;
    }

    if (before?.status === 'complete') this.#complete = this.#complete.filter((other) => other !== number);
    const order = {
      placedAt: at,
      place: beforeAll + number,
      ...before,
      number,
      lane,
      status: to,
      eventId: id,
      isListed: false,
    };
    if (to === 'pending') {
      if (from !== 'processing') order.place = ++this.#lastPlace;
      if (this.#isHidden(order)) {
        this.#orders.delete(number);
        return;
      }
    } else if (to === 'processing') {
      Object.assign(order, { botNumber, startedAt: at, progress: null, expectedAt: this.#expectedAfter(at) });
    } else if (to === 'complete') {
      order.completedAt = at;
      if (before?.startedAt) this.#learnMeasured(Date.parse(at) - Date.parse(before.startedAt));
      this.#complete.unshift(number);
      for (const old of this.#complete.splice(completeShown)) this.#forgetLater(old);
    } else this.#forgetLater(number);
    this.#orders.set(number, order);
  }

  #put(order) {
    this.#orders.set(order.number, { ...order, eventId: 0, isListed: true });
  }

  #withStatus(status) {
    return [...this.#orders.values()].filter((order) => order.status === status);
  }

  /** Beyond the end of a list that was cut off, where others wait that we do not know. */
  #isHidden(order) {
    if (!this.#isCutOff) return false;
    const last = this.pending.findLast(({ number }) => number !== order.number);
    return !last || byPlace(order, last) > 0;
  }

  /** One that is hardly longer than what is known is no news: a countdown of 10 s would begin at 11. */
  #learnMeasured(ms) {
    const isNews = this.#usualMs === null || ms < this.#usualMs || ms > this.#usualMs + writingMs;
    if (isNews) this.#usualMs = ms;
  }

  #expectedAfter(at) {
    return this.#usualMs === null ? null : new Date(Date.parse(at) + this.#usualMs).toISOString();
  }

  /** Not at once: an older move of the same order may still come, and must find that it is old. */
  #forgetLater(number) {
    this.#gone.push(number);
    if (this.#gone.length <= goneKept) return;
    const oldest = this.#gone.shift();
    const status = this.#orders.get(oldest)?.status;
    if (status in this.counts && !(status === 'complete' && !this.#complete.includes(oldest))) return;
    this.#orders.delete(oldest);
  }
}

const byPlace = (a, b) => (b.lane === 'vip') - (a.lane === 'vip') || a.place - b.place;

/**
 * Moves of one order were made in the order of their ids, although they may be told otherwise. Where a snapshot has an order,
 * it may be ahead: then its moves do not fit until they have caught up.
 */
function isNews(order, from, id) {
  return id > order.eventId && (!order.isListed || order.status === from);
}

import { describe, expect, it } from 'vitest';
// @ts-expect-error: the page is plain JavaScript, without types
import { BoardState } from './board-state.js';

interface Listed {
  number: number;
  lane: string;
}
type Status = 'pending' | 'processing' | 'complete' | 'cancelled' | 'failed';

const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();
const waiting = (number: number, lane = 'normal') => ({ number, lane, placedAt: time(0) });
const inHand = (number: number, lane = 'normal') => ({
  number,
  lane,
  botNumber: 1,
  startedAt: time(1),
  progress: null,
  expectedAt: time(11),
});
const done = (number: number, lane = 'normal') => ({ number, lane, completedAt: time(2), soundUrl: null });

function boardOf({
  pending = [] as object[],
  processing = [] as object[],
  complete = [] as object[],
  counts = {},
} = {}) {
  return {
    pending,
    processing,
    complete,
    bots: { total: 1, idle: 0, processing: 1 },
    counts: { pending: pending.length, processing: processing.length, complete: complete.length, ...counts },
  };
}

/** A page that tells moves with growing event ids, unless an id is given. */
function open(board: object) {
  const state = new BoardState(board);
  let id = 100;
  const numbers = (list: Listed[]) => list.map(({ number }) => number);
  return {
    state,
    move(number: number, from: Status | null, to: Status, { lane = 'normal', eventId = ++id } = {}) {
      state.apply({ number, lane, from, to, botNumber: 1, at: time(id - 95) }, `7-${eventId}`);
    },
    get lists() {
      return {
        pending: numbers(state.pending),
        processing: numbers(state.processing),
        complete: numbers(state.complete),
      };
    },
  };
}

describe('the lists of the page', () => {
  it('show VIP first, each lane in its order, and move with the events', () => {
    const page = open(boardOf({ pending: [waiting(2)] }));
    page.move(3, null, 'pending');
    page.move(4, null, 'pending', { lane: 'vip' });
    page.move(5, null, 'pending', { lane: 'vip' });
    expect(page.lists.pending).toEqual([4, 5, 2, 3]);
    page.move(4, 'pending', 'processing', { lane: 'vip' });
    page.move(4, 'processing', 'complete', { lane: 'vip' });
    page.move(3, 'pending', 'cancelled');
    expect(page.lists).toEqual({ pending: [5, 2], processing: [], complete: [4] });
    expect(page.state.counts).toEqual({ pending: 2, processing: 0, complete: 1 });
  });

  it('put an order that is given back where it was', () => {
    const page = open(boardOf({ pending: [waiting(3), waiting(4), waiting(5)], processing: [inHand(1), inHand(2)] }));
    page.move(3, 'pending', 'processing');
    for (const number of [2, 3, 1]) page.move(number, 'processing', 'pending');
    expect(page.lists.pending).toEqual([1, 2, 3, 4, 5]);
  });

  it('put an order that a manager tries again at the end of its lane, and back there', () => {
    const page = open(boardOf({ pending: [waiting(8)] }));
    page.move(3, 'failed', 'pending');
    expect(page.lists.pending).toEqual([8, 3]);
    page.move(3, 'pending', 'processing');
    page.move(3, 'processing', 'pending');
    expect(page.lists.pending).toEqual([8, 3]);
  });

  it('do not follow moves that the lists of a snapshot were ahead of, but count them', () => {
    const counts = { pending: 2, processing: 0, complete: 0 };
    const page = open(boardOf({ pending: [waiting(2)], complete: [done(1)], counts }));
    page.move(1, 'pending', 'processing');
    expect(page.lists).toEqual({ pending: [2], processing: [], complete: [1] });
    page.move(1, 'processing', 'complete');
    expect(page.lists).toEqual({ pending: [2], processing: [], complete: [1] });
    expect(page.state.counts).toEqual({ pending: 1, processing: 0, complete: 1 });
  });

  it('end right when a snapshot was ahead of a start, a return and a cancellation', () => {
    const page = open(boardOf({ pending: [waiting(1)], counts: { pending: 2 } }));
    page.move(1, 'pending', 'processing');
    page.move(1, 'processing', 'pending');
    page.move(2, 'pending', 'processing');
    page.move(2, 'processing', 'cancelled');
    expect(page.lists).toEqual({ pending: [1], processing: [], complete: [] });
    expect(page.state.counts).toEqual({ pending: 1, processing: 0, complete: 0 });
  });

  it('believe the later of two moves that are told in the wrong order', () => {
    const page = open(boardOf({ pending: [waiting(1), waiting(2)] }));
    page.move(1, 'processing', 'pending', { eventId: 201 });
    page.move(1, 'pending', 'processing', { eventId: 200 });
    page.move(3, null, 'pending', { eventId: 202 });
    page.move(3, 'processing', 'cancelled', { eventId: 204 });
    page.move(3, 'pending', 'processing', { eventId: 203 });
    expect(page.lists).toEqual({ pending: [1, 2], processing: [], complete: [] });
    expect(page.state.counts).toEqual({ pending: 2, processing: 0, complete: 0 });
  });

  it('keep the last 50 that are complete, newest first', () => {
    const page = open(boardOf());
    for (let number = 1; number <= 700; number += 1) {
      page.move(number, null, 'pending');
      page.move(number, 'pending', 'processing');
      page.move(number, 'processing', 'complete');
    }
    expect(page.lists.complete).toEqual(Array.from({ length: 50 }, (_, index) => 700 - index));
    expect(page.state.counts).toEqual({ pending: 0, processing: 0, complete: 700 });
  });

  it('leave out who waits beyond the end of a list that was cut off, and ask for more in time', () => {
    const pending = Array.from({ length: 200 }, (_, index) => waiting(1_000 + index));
    const page = open(boardOf({ pending, counts: { pending: 5_000 } }));
    page.move(9_000, null, 'pending');
    page.move(9_001, null, 'pending', { lane: 'vip' });
    expect(page.lists.pending).toEqual([9_001, ...pending.map(({ number }) => number)]);
    expect(page.state.counts.pending).toBe(5_002);
    for (const { number } of pending.slice(0, 151)) page.move(number, 'pending', 'processing');
    expect(page.state.needsSnapshot).toBe(false);
    page.move(1_151, 'pending', 'processing');
    expect(page.state.needsSnapshot).toBe(true);
  });

  it('ask once how long an order takes, when a start is the first thing they hear of', () => {
    const page = open(boardOf({ pending: [waiting(1), waiting(2)] }));
    expect(page.state.needsDuration).toBe(false);
    page.move(1, 'pending', 'processing');
    page.move(2, 'pending', 'processing');
    expect(page.state.needsDuration).toBe(true);
    page.state.learnDurations(boardOf({ processing: [{ ...inHand(1), startedAt: time(6), expectedAt: time(16) }] }));
    expect(page.state.needsDuration).toBe(false);
    expect(page.state.processing.map(({ expectedAt }: { expectedAt: string }) => expectedAt)).toEqual([
      time(16),
      time(17),
    ]);
  });

  it('do not ask again when the board cannot say how long an order takes', () => {
    const page = open(boardOf());
    page.move(1, null, 'processing');
    page.state.learnDurations(boardOf({ processing: [{ ...inHand(1), expectedAt: null }] }));
    page.move(2, null, 'processing');
    expect(page.state.needsDuration).toBe(false);
    expect(page.state.processing[1].expectedAt).toBeNull();
  });

  it('take a measured duration only when it is news, not when the writing made it a little longer', () => {
    const tookOf = (doneAfterMs: number) => {
      const { state } = open(boardOf({ pending: [waiting(2)], processing: [inHand(1)] }));
      const tell = (number: number, from: Status, to: Status, at: number, eventId: number) =>
        state.apply({ number, lane: 'normal', from, to, botNumber: 1, at: new Date(at).toISOString() }, `7-${eventId}`);
      const startedAt = Date.parse(inHand(1).startedAt);
      tell(1, 'processing', 'complete', startedAt + doneAfterMs, 1);
      tell(2, 'pending', 'processing', startedAt + doneAfterMs, 2);
      const [started] = state.processing;
      return Date.parse(started.expectedAt) - Date.parse(started.startedAt);
    };
    expect([10_700, 9_000, 12_000].map(tookOf)).toEqual([10_000, 9_000, 12_000]);
  });

  it('expect a new start to take as long as the others', () => {
    const page = open(boardOf({ pending: [waiting(2)], processing: [inHand(1)] }));
    page.move(2, 'pending', 'processing');
    const [, started] = page.state.processing;
    expect(Date.parse(started.expectedAt) - Date.parse(started.startedAt)).toBe(10_000);
  });
});

import { describe, expect, it } from 'vitest';
import type { BoardOrderEvent } from '../../domain/board.ts';
import { afterMove, factsWithout } from './order-facts.ts';

function move(to: BoardOrderEvent['to'], atMs: number): BoardOrderEvent {
  return { number: 1, lane: 'normal', from: null, to, botNumber: null, at: new Date(atMs).toISOString() };
}

const factsAfter = (...moves: BoardOrderEvent[]) => moves.reduce(afterMove, factsWithout());

describe('afterMove', () => {
  it('knows the start, the end and the work of an order', () => {
    expect(factsAfter(move('pending', 0), move('processing', 100), move('complete', 350))).toEqual({
      firstStartedAtMs: 100,
      startedAtMs: 100,
      endedAtMs: 350,
      endedAs: 'complete',
      busyMs: 250,
    });
  });

  it('counts the first start as the end of the wait, and all attempts as work', () => {
    const moves = [move('processing', 100), move('pending', 150), move('processing', 200), move('complete', 300)];
    expect(factsAfter(...moves)).toMatchObject({ firstStartedAtMs: 100, startedAtMs: 200, busyMs: 150 });
  });

  it('does not count the time between a failure and its retry as work', () => {
    const moves = [
      move('processing', 0),
      move('failed', 10),
      move('pending', 500),
      move('processing', 600),
      move('complete', 605),
    ];
    expect(factsAfter(...moves)).toMatchObject({ endedAs: 'complete', busyMs: 15 });
  });

  it('counts no work for an order that is cancelled before its start', () => {
    expect(factsAfter(move('pending', 0), move('cancelled', 40))).toMatchObject({ endedAs: 'cancelled', busyMs: 0 });
  });
});

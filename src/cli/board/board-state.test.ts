import { describe, expect, it } from 'vitest';
import type { Board, BoardOrderEvent } from '../../domain/board.ts';
import { boardStateOf, moveOnBoard } from './board-state.ts';

const at = '2026-03-07T08:00:00.000Z';

function boardOf(changes: Partial<Board> = {}): Board {
  return {
    pending: [],
    processing: [],
    complete: [],
    bots: { total: 0, idle: 0, processing: 0 },
    counts: { pending: 0, processing: 0, complete: 0 },
    asOf: at,
    lastEventId: '0',
    ...changes,
  };
}

function moveOf(
  number: number,
  from: BoardOrderEvent['from'],
  to: BoardOrderEvent['to'],
  lane: 'vip' | 'normal' = 'normal',
) {
  return { number, lane, from, to, botNumber: to === 'processing' ? 1 : null, at };
}

describe('moveOnBoard', () => {
  it('follows an order from pending to complete', () => {
    const state = boardStateOf(boardOf());
    moveOnBoard(state, moveOf(1001, null, 'pending'));
    expect(state).toMatchObject({ pending: { normal: [1001] }, counts: { pending: 1 } });
    moveOnBoard(state, moveOf(1001, 'pending', 'processing'));
    expect(state).toMatchObject({
      pending: { normal: [] },
      processing: [{ number: 1001, botNumber: 1 }],
      counts: { pending: 0, processing: 1 },
    });
    moveOnBoard(state, moveOf(1001, 'processing', 'complete'));
    expect(state).toMatchObject({
      processing: [],
      complete: [{ number: 1001 }],
      counts: { pending: 0, processing: 0, complete: 1 },
    });
  });

  it('puts an order that is given back ahead of those that never started, and a retried one behind', () => {
    const state = boardStateOf(boardOf());
    for (const number of [1001, 1002, 1003, 1004]) moveOnBoard(state, moveOf(number, null, 'pending'));
    for (const number of [1001, 1002]) moveOnBoard(state, moveOf(number, 'pending', 'processing'));
    for (const number of [1002, 1001]) moveOnBoard(state, moveOf(number, 'processing', 'pending'));
    moveOnBoard(state, moveOf(998, 'failed', 'pending'));
    expect(state.pending.normal).toEqual([1001, 1002, 1003, 1004, 998]);
  });

  it('takes a cancelled order off', () => {
    const state = boardStateOf(
      boardOf({
        pending: [{ number: 7, lane: 'vip', placedAt: at }],
        counts: { pending: 1, processing: 0, complete: 0 },
      }),
    );
    moveOnBoard(state, moveOf(7, 'pending', 'cancelled', 'vip'));
    expect(state).toMatchObject({ pending: { vip: [] }, counts: { pending: 0 } });
  });

  it('counts an order that waits beyond those the snapshot lists', () => {
    const state = boardStateOf(boardOf({ counts: { pending: 900, processing: 0, complete: 0 } }));
    moveOnBoard(state, moveOf(1800, 'pending', 'processing'));
    expect(state.counts).toEqual({ pending: 899, processing: 1, complete: 0 });
  });

  it('changes nothing when a move comes that the snapshot already holds', () => {
    const state = boardStateOf(boardOf());
    moveOnBoard(state, moveOf(1001, null, 'pending'));
    moveOnBoard(state, moveOf(1001, null, 'pending'));
    expect(state).toMatchObject({ pending: { normal: [1001] }, counts: { pending: 1 } });
  });
});

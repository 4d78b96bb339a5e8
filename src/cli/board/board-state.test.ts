import { describe, expect, it } from 'vitest';
import type { Board, BoardOrderEvent } from '../../domain/board.ts';
import { type BoardState, boardStateOf, moveOnBoard } from './board-state.ts';

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

let lastId = 100;
function move(state: BoardState, event: BoardOrderEvent, id?: number): void {
  lastId += 1;
  moveOnBoard(state, event, `7-${id ?? lastId}`);
}

describe('moveOnBoard', () => {
  it('follows an order from pending to complete', () => {
    const state = boardStateOf(boardOf());
    move(state, moveOf(1001, null, 'pending'));
    expect(state).toMatchObject({ pending: { normal: [1001] }, counts: { pending: 1 } });
    move(state, moveOf(1001, 'pending', 'processing'));
    expect(state).toMatchObject({
      pending: { normal: [] },
      processing: [{ number: 1001, botNumber: 1 }],
      counts: { pending: 0, processing: 1 },
    });
    move(state, moveOf(1001, 'processing', 'complete'));
    expect(state).toMatchObject({
      processing: [],
      complete: [{ number: 1001 }],
      counts: { pending: 0, processing: 0, complete: 1 },
    });
  });

  it('puts an order that is given back ahead of those that never started, and a retried one behind', () => {
    const state = boardStateOf(boardOf());
    for (const number of [1001, 1002, 1003, 1004]) move(state, moveOf(number, null, 'pending'));
    for (const number of [1001, 1002]) move(state, moveOf(number, 'pending', 'processing'));
    for (const number of [1002, 1001]) move(state, moveOf(number, 'processing', 'pending'));
    move(state, moveOf(998, 'failed', 'pending'));
    expect(state.pending.normal).toEqual([1001, 1002, 1003, 1004, 998]);
  });

  it('takes a cancelled order off', () => {
    const state = boardStateOf(
      boardOf({
        pending: [{ number: 7, lane: 'vip', placedAt: at }],
        counts: { pending: 1, processing: 0, complete: 0 },
      }),
    );
    move(state, moveOf(7, 'pending', 'cancelled', 'vip'));
    expect(state).toMatchObject({ pending: { vip: [] }, counts: { pending: 0 } });
  });

  it('counts an order that waits beyond those the snapshot lists', () => {
    const state = boardStateOf(boardOf({ counts: { pending: 900, processing: 0, complete: 0 } }));
    move(state, moveOf(1800, 'pending', 'processing'));
    expect(state.counts).toEqual({ pending: 899, processing: 1, complete: 0 });
  });

  it('changes nothing when a move is told twice', () => {
    const state = boardStateOf(boardOf());
    for (const _ of [1, 2]) move(state, moveOf(1001, null, 'pending'), 5_000);
    expect(state).toMatchObject({ pending: { normal: [1001] }, counts: { pending: 1 } });
  });

  it('keeps to the later of two moves of an order that are told in the wrong order, and counts both', () => {
    const waiting = { number: 7, lane: 'normal' as const, placedAt: at };
    const counts = { pending: 1, processing: 0, complete: 0 };
    const state = boardStateOf(boardOf({ pending: [waiting], counts }));
    move(state, moveOf(7, 'processing', 'pending'), 9_001);
    move(state, moveOf(7, 'pending', 'processing'), 9_000);
    expect(state).toMatchObject({ pending: { normal: [7] }, processing: [], counts });
    move(state, moveOf(7, 'processing', 'complete'), 9_003);
    move(state, moveOf(7, 'pending', 'processing'), 9_002);
    expect(state).toMatchObject({ pending: { normal: [] }, processing: [], complete: [{ number: 7 }] });
    expect(state.counts).toEqual({ pending: 0, processing: 0, complete: 1 });
  });
});

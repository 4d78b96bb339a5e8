import { describe, expect, it } from 'vitest';
import type { StreamedEvent } from '../../db/order-events.ts';
import { type OrderStatus, orderMoves, orderStatuses } from '../../domain/order-status.ts';
import { addEvents, addMoves, type BoardTally } from './board-tally.ts';

const empty: BoardTally = {
  cursor: { xid: '1', id: '0' },
  counts: { pending: 0, processing: 0, complete: 0 },
  completed: [],
};
let id = 0;
const move = (number: number, from: OrderStatus | null, to: OrderStatus): StreamedEvent => ({
  cursor: { xid: '2', id: String(++id) },
  number,
  lane: 'normal',
  from,
  to,
  botNumber: null,
  at: '2026-01-01T00:00:00.000Z',
});

describe('the tally', () => {
  it('counts an order where it is, through every move it can make', () => {
    for (const from of orderStatuses)
      for (const to of orderMoves[from]) {
        const { counts } = addEvents(addEvents(empty, [move(1, null, from)]), [move(1, from, to)]);
        const expected = { pending: 0, processing: 0, complete: 0, [to]: 1 };
        expect(counts, `${from}→${to}`).toEqual({
          pending: expected.pending,
          processing: expected.processing,
          complete: expected.complete,
        });
      }
  });

  it('stands at the last event, with the latest completed orders first', () => {
    const events = [...Array(60).keys()].map((number) => move(number, 'processing', 'complete'));
    const tally = addEvents(addEvents(empty, events.slice(0, 3)), events.slice(3));
    expect(tally.completed).toEqual([...Array(50).keys()].map((index) => 59 - index));
    expect(tally.cursor).toEqual(events.at(-1)!.cursor);
    expect(addEvents(tally, [events.at(-1)!]).completed, 'the same one told again').toEqual(tally.completed);
  });

  it('takes moves back', () => {
    const counts = { pending: 5, processing: 2, complete: 9 };
    const moves = [
      { from: null, to: 'pending', count: 4 },
      { from: 'pending', to: 'processing', count: 3 },
    ] as const;
    expect(addMoves(addMoves(counts, moves), moves, -1)).toEqual(counts);
    expect(addMoves(counts, moves)).toEqual({ pending: 6, processing: 5, complete: 9 });
  });
});

import { describe, expect, it } from 'vitest';
import type { BoardOrderEvent } from '../../domain/board.ts';
import type { Lane } from '../../domain/lane.ts';
import { judgeShift, type ShiftRecord } from './shift-record.ts';

type Step = [number: number, to: 'pending' | 'processing' | 'complete', atSecond: number, botNumber?: number];

const lanesOf = new Map<number, Lane>([
  [1001, 'normal'],
  [1002, 'vip'],
  [1003, 'normal'],
]);

function recordOf(steps: Step[], returned: ShiftRecord['returned'] = null): ShiftRecord {
  const statusOf = new Map<number, BoardOrderEvent['to']>();
  const moves = steps.map(([number, to, atSecond, botNumber = null]) => {
    const from = statusOf.get(number) ?? null;
    statusOf.set(number, to);
    const lane = lanesOf.get(number) ?? 'normal';
    return { number, lane, from, to, botNumber, at: new Date(atSecond * 1_000).toISOString() };
  });
  return { placed: [...lanesOf].map(([number, lane]) => ({ number, lane })), moves, returned };
}

const arrivals: Step[] = [
  [1001, 'pending', 0],
  [1002, 'pending', 0],
  [1003, 'pending', 0],
];
const goodShift: Step[] = [
  ...arrivals,
  [1002, 'processing', 1, 1],
  [1001, 'processing', 1, 2],
  [1002, 'complete', 11, 1],
  [1003, 'processing', 11, 1],
  [1001, 'complete', 11, 2],
  [1003, 'complete', 21, 1],
];

function unmet(record: ShiftRecord): string[] {
  return judgeShift(record, 10_000)
    .filter(({ isMet }) => !isMet)
    .map(({ text }) => text);
}

describe('judgeShift', () => {
  it('is content with a right shift', () => expect(unmet(recordOf(goodShift))).toEqual([]));

  it('sees a normal order that overtook a VIP', () => {
    const steps: Step[] = [
      ...arrivals,
      [1001, 'processing', 1, 1],
      ...goodShift.slice(3).filter(([number, to]) => number !== 1001 || to !== 'processing'),
    ];
    expect(unmet(recordOf(steps))).toEqual(['no normal order was started while a VIP order was pending']);
  });

  it('sees a lane out of turn', () => {
    const steps = goodShift.map(
      ([number, ...rest]): Step => [number === 1001 ? 1003 : number === 1003 ? 1001 : number, ...rest],
    );
    expect(unmet(recordOf(steps))).toEqual(['within its lane, each order was started in its turn']);
  });

  it('sees an order that is not complete, or twice', () => {
    expect(unmet(recordOf(goodShift.slice(0, -1)))).toEqual(['every order is complete, each of them once']);
    expect(unmet(recordOf([...goodShift, [1003, 'complete', 22, 1]]))).toEqual([
      'every order is complete, each of them once',
    ]);
  });

  it('sees an order that was done too fast', () => {
    const steps: Step[] = [...goodShift.slice(0, -1), [1003, 'complete', 12, 1]];
    expect(unmet(recordOf(steps))).toEqual(['no order was complete before its 10 s']);
  });

  it('wants a returned order to be done by another bot', () => {
    const returned = { orderNumber: 1001, botNumber: 2 };
    const givenBack: Step[] = [
      ...arrivals,
      [1002, 'processing', 1, 1],
      [1001, 'processing', 1, 2],
      [1001, 'pending', 5],
    ];
    const rest: Step[] = [
      [1002, 'complete', 11, 1],
      [1001, 'processing', 11, 1],
      [1001, 'complete', 21, 1],
      [1003, 'processing', 21, 1],
      [1003, 'complete', 31, 1],
    ];
    expect(unmet(recordOf([...givenBack, ...rest], returned))).toEqual([]);
    expect(unmet(recordOf(goodShift, returned))).toEqual([
      'order 1001 went back to PENDING and was done by another bot',
    ]);
  });
});

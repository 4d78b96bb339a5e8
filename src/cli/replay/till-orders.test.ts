import { expect, it } from 'vitest';
import { parseFileTime } from './file-time.ts';
import type { TillLine } from './till-lines.ts';
import { TillOrders } from './till-orders.ts';

function lineOf(line: number, orderRef: string, time: string, changes: Partial<TillLine> = {}): TillLine {
  const placedAt = parseFileTime(`2026-03-07 ${time}`);
  if (!placedAt) throw new Error(`${time} is no time`);
  return {
    line,
    orderRef,
    placedAt,
    customer: null,
    lane: 'normal',
    sku: 'espresso',
    quantity: 1,
    unitPrice: '2.40',
    ...changes,
  };
}

it('puts lines of one order together that are not adjacent, and sorts by time', () => {
  const orders = new TillOrders();
  orders.add(lineOf(2, 'b', '09:00:10'));
  orders.add(lineOf(3, 'a', '08:59'));
  orders.add(lineOf(4, 'c', '09:00:10'));
  orders.add(lineOf(5, 'b', '09:00', { sku: 'croissant', customer: 'Ana' }));
  orders.add(lineOf(6, 'b', '09:01', { quantity: 2 }));
  expect(orders.refused).toEqual([]);
  expect(orders.inFileOrder().map(({ orderRef, lines }) => [orderRef, lines])).toEqual([
    ['a', [3]],
    ['b', [2, 5, 6]],
    ['c', [4]],
  ]);
  expect(orders.inFileOrder()[1]).toMatchObject({
    customer: 'Ana',
    placedAt: parseFileTime('2026-03-07 09:00'),
    items: [
      { sku: 'espresso', quantity: 3 },
      { sku: 'croissant', quantity: 1 },
    ],
  });
});

it('refuses a line that contradicts its order, and keeps the order', () => {
  const orders = new TillOrders();
  orders.add(lineOf(2, 'a', '09:00'));
  orders.add(lineOf(3, 'a', '09:00', { lane: 'vip' }));
  orders.add(lineOf(4, 'a', '14:00'));
  orders.add(lineOf(5, 'b', '09:00', { placedAt: { atMs: Date.UTC(2026, 2, 7, 9), offsetMinutes: 60 } }));
  expect(orders.inFileOrder()).toHaveLength(1);
  expect(orders.refused).toEqual([
    { line: 3, reason: 'lane is vip, but order a in line 2 is normal' },
    { line: 4, reason: expect.stringContaining('another order with the same order_ref') },
    { line: 5, reason: 'placed_at has a time zone, unlike line 2' },
  ]);
});

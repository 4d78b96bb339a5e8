import { expect, it } from 'vitest';
import { type OrderStatus, orderMoves, orderStatuses, statusesBefore } from './order-status.ts';

const first: OrderStatus[] = ['awaiting_payment', 'pending'];
const final: OrderStatus[] = ['complete', 'cancelled'];

function reachableFrom(start: readonly OrderStatus[]): Set<OrderStatus> {
  const reached = new Set(start);
  for (const status of reached) for (const next of orderMoves[status]) reached.add(next);
  return reached;
}

it('has no status that an order cannot come to', () => {
  expect([...reachableFrom(first)].sort()).toEqual([...orderStatuses].sort());
  expect([...reachableFrom(['pending'])].sort()).toEqual(
    orderStatuses.filter((status) => status !== 'awaiting_payment').sort(),
  );
});

it('has no dead end but the two final ones, and a way to both from everywhere else', () => {
  expect(orderStatuses.filter((status) => orderMoves[status].length === 0).sort()).toEqual([...final].sort());
  for (const status of orderStatuses.filter((one) => !final.includes(one)))
    for (const end of final) expect(reachableFrom([status]), `${status} → ${end}`).toContain(end);
});

it('never moves to the same status, and names only statuses there are', () => {
  for (const status of orderStatuses) {
    expect(orderMoves[status]).not.toContain(status);
    for (const next of orderMoves[status]) expect(orderStatuses).toContain(next);
    expect(new Set(orderMoves[status]).size).toBe(orderMoves[status].length);
  }
});

it('lets an order be complete only out of the hands of a bot, and be cancelled never after that', () => {
  expect(statusesBefore('complete')).toEqual(['processing']);
  expect(statusesBefore('processing')).toEqual(['pending']);
  expect(statusesBefore('failed')).toEqual(['processing']);
  expect(statusesBefore('cancelled').sort()).toEqual(['awaiting_payment', 'failed', 'pending', 'processing']);
  expect(statusesBefore('pending').sort()).toEqual(['awaiting_payment', 'failed', 'processing']);
  expect(statusesBefore('awaiting_payment')).toEqual([]);
});

import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { Order } from '../domain/order.ts';
import { writeOrder } from './order-text.ts';

const held: Order = {
  number: 1042,
  lane: 'normal',
  status: 'pending',
  items: [],
  total: { amountMinor: 240, currency: 'EUR' },
  payment: {
    method: 'stripe',
    status: 'authorised',
    checkoutUrl: null,
    reference: 'pi_1',
    authorisedUntil: '2026-03-08T12:00:00.000Z',
  },
  customerName: null,
  note: null,
  attempt: 0,
  botNumber: null,
  position: null,
  estimatedReadyAt: null,
  placedAt: '2026-03-01T12:00:00.000Z',
  startedAt: null,
  completedAt: null,
  cancelledAt: null,
  failureReason: null,
};

function textOf(order: Order): string {
  const output = new PassThrough();
  writeOrder(output, order);
  return String(output.read());
}

it('says until when an order is held, and not so of one that is cancelled, whose hold is being let go', () => {
  expect(textOf(held)).toContain('held until 2026-03-08');
  const cancelled = textOf({ ...held, status: 'cancelled', cancelledAt: '2026-03-01T12:01:00.000Z' });
  expect(cancelled).toContain('cancelled');
  expect(cancelled).not.toContain('held until');
});

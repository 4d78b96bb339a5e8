import { describe, expect, it } from 'vitest';
import type { StreamedEvent } from '../../db/order-events.ts';
import { EventRing } from './event-ring.ts';

const at = (xid: number, id: number) => ({ xid: String(xid), id: String(id) });
const event = (xid: number, id: number): StreamedEvent => ({
  cursor: at(xid, id),
  number: id,
  lane: 'normal',
  from: null,
  to: 'pending',
  botNumber: null,
  at: '2026-01-01T00:00:00.000Z',
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('the ring of events', () => {
  it('knows what came after a place, whether an event was there or not', () => {
    const ring = new EventRing(at(50, 0));
    ring.push([event(50, 9), event(52, 7), event(52, 8)]);
    const numbersAfter = (xid: number, id: number) => ring.after(at(xid, id))?.map(({ number }) => number);
    expect(numbersAfter(50, 0)).toEqual([9, 7, 8]);
    expect(numbersAfter(50, 9)).toEqual([7, 8]);
    expect(numbersAfter(51, 99)).toEqual([7, 8]);
    expect(numbersAfter(52, 8)).toEqual([]);
    expect(numbersAfter(49, 99)).toBeUndefined();
  });

  it('keeps at least its size, and says null for what it dropped', () => {
    const ring = new EventRing(at(0, 0), 10);
    for (const number of range(1, 95)) ring.push([event(number, 1)]);
    expect(ring.after(at(85, 1))).toHaveLength(10);
    expect(ring.after(at(0, 0))).toBeNull();
    const oldest = range(0, 95).find((number) => ring.after(at(number, 1)) !== null) ?? 0;
    expect(oldest).toBeGreaterThan(74);
    expect(ring.after(at(oldest, 1))).toHaveLength(95 - oldest);
  });
});

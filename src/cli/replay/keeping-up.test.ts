import { describe, expect, it } from 'vitest';
import type { SentOrder } from './day-report.ts';
import { measuredServiceMs, Shortage, shortageText, timeLeftMs } from './keeping-up.ts';
import { factsWithout, type OrderFacts } from './order-facts.ts';
import { OrderWatch } from './order-watch.ts';
import type { TillOrder } from './till-orders.ts';

const minuteMs = 60_000;

function ordersEvery(spaceMs: number, count: number): TillOrder[] {
  return Array.from({ length: count }, (_, index) => ({
    orderRef: String(index),
    placedAt: { atMs: index * spaceMs, offsetMinutes: null },
    lane: 'normal',
    customer: null,
    items: [{ sku: 'espresso', quantity: 1 }],
    lines: [index + 2],
  }));
}

describe('shortageText', () => {
  const day = { orders: ordersEvery(minuteMs, 601), speed: 60, waitMs: 0, service: { ms: 10_000, source: 'as told' } };

  it('says how many bots are needed at this speed, how many there are, and how long it takes with them', () => {
    // an order a second, ten seconds each: ten bots; with two of them 601 × 10 s / 2
    expect(shortageText({ ...day, bots: 2 })).toBe(
      'at this speed about 10 bots are needed, there are 2 (all done in about 50m 15s): ' +
        'so many keep waits within 0 ms of file time when an order takes a bot 10.0 s, as told',
    );
    expect(shortageText({ ...day, bots: 0 })).toMatch(/10 bots are needed, there are 0: /);
  });

  it('says nothing when there are enough', () => {
    expect(shortageText({ ...day, bots: 10 })).toBeUndefined();
    expect(shortageText({ ...day, speed: 6, bots: 1 })).toBeUndefined();
  });
});

describe('the time left', () => {
  const facts: Record<number, Partial<OrderFacts>> = {
    1: { endedAs: 'complete', busyMs: 8_000 },
    2: { endedAs: 'complete', busyMs: 12_000 },
    3: { endedAs: 'failed', busyMs: 90_000 },
    4: { startedAtMs: 1 },
    5: {},
    6: {},
  };
  const sent = [1, 2, 3, 4, 5, 6, 7].map(
    (number): SentOrder => ({
      number,
      lane: 'normal',
      fileAtMs: 0,
      placedAtMs: 0,
      alreadySent: number === 7,
      facts: factsWithout(),
    }),
  );
  const watch = new OrderWatch();
  for (const [number, known] of Object.entries(facts)) watch.correct(Number(number), { ...factsWithout(), ...known });

  it('is what waits and half of what is in hand, by what the complete ones took', () => {
    expect(measuredServiceMs(sent, watch)).toBe(10_000);
    watch.bots = { total: 5, idle: 4, processing: 1 };
    expect(timeLeftMs(sent, watch)).toBe(5_000);
  });

  it('is not known without a bot, or before the first is complete', () => {
    watch.bots = { total: 0, idle: 0, processing: 0 };
    expect(timeLeftMs(sent, watch)).toBeNull();
    expect(measuredServiceMs(sent.slice(2), watch)).toBeNull();
  });
});

it('warns once an order of this day is sent, and again when the number of bots changes', () => {
  const day = { orders: ordersEvery(minuteMs, 601), speed: 60, waitMs: 0 };
  const sentAt = (index: number, alreadySent: boolean): SentOrder => ({
    number: index,
    lane: 'normal',
    fileAtMs: index * minuteMs,
    placedAtMs: 0,
    alreadySent,
    facts: factsWithout(),
  });
  const watch = new OrderWatch();
  watch.bots = { total: 2, idle: 2, processing: 0 };
  const shortage = new Shortage(day, { ms: 10_000, source: 'as the last 5 done here did' });
  expect(shortage.textNow([sentAt(0, true)], watch)).toBeUndefined();
  const sent = [sentAt(0, true), sentAt(301, false)];
  expect(shortage.textNow(sent, watch)).toMatch(/there are 2 \(all done in about 25m 10s\)/); // 300 are left
  watch.bots = { total: 20, idle: 20, processing: 0 };
  expect(shortage.textNow(sent, watch)).toBeUndefined();

  const unknown = new Shortage(day, null);
  watch.bots = { total: 1, idle: 1, processing: 0 };
  expect(unknown.textNow(sent, watch)).toBeUndefined();
  watch.correct(301, { ...factsWithout(), endedAs: 'complete', busyMs: 5_000 });
  expect(unknown.textNow(sent, watch)).toMatch(
    /there is 1 .*an order takes a bot 5\.0 s, as the first ones of this day did$/,
  );
});

it('forgets what earlier orders took as soon as three of this day are complete', () => {
  const sent = [0, 1, 2, 3].map(
    (number): SentOrder => ({
      number,
      lane: 'normal',
      fileAtMs: number * minuteMs,
      placedAtMs: 0,
      alreadySent: false,
      facts: factsWithout(),
    }),
  );
  const watch = new OrderWatch();
  watch.bots = { total: 2, idle: 0, processing: 2 };
  const day = { orders: ordersEvery(minuteMs, 601), speed: 60, waitMs: 0 };
  const shortage = new Shortage(day, { ms: 10_000, source: 'as the last 5 done here did' });
  const complete = (number: number) => watch.correct(number, { ...factsWithout(), endedAs: 'complete', busyMs: 100 });
  complete(0);
  complete(1);
  expect(shortage.textNow(sent, watch)).toMatch(/10 bots are needed.* 10\.0 s, as the last 5 done here did$/);
  complete(2);
  expect(shortage.textNow(sent, watch)).toBeUndefined(); // two bots are enough for 100 ms an order
});

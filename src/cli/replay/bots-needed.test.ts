import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Arrival, botsNeededFor, simulateWaits } from './bots-needed.ts';

const normal = (atMs: number): Arrival => ({ atMs, lane: 'normal' });
const vip = (atMs: number): Arrival => ({ atMs, lane: 'vip' });

describe('simulateWaits', () => {
  it('lets orders wait for one bot in the order of their arrival', () => {
    expect(simulateWaits([normal(0), normal(1), normal(25)], 1, 10)).toEqual([0, 9, 0]);
  });

  it('starts a waiting VIP first, and never interrupts', () => {
    expect(simulateWaits([normal(0), normal(1), vip(2)], 1, 10)).toEqual([0, 8, 19]);
  });

  it('lets idle bots take what comes at once', () => {
    expect(simulateWaits([normal(0), normal(0), normal(0)], 2, 10)).toEqual([0, 0, 10]);
  });

  it('agrees with a step-by-step simulation of bots and lanes', () => {
    const arrivalsOf = fc
      .array(
        fc.record({ atMs: fc.integer({ min: 0, max: 60 }), lane: fc.constantFrom('vip' as const, 'normal' as const) }),
        {
          minLength: 1,
          maxLength: 40,
        },
      )
      .map((arrivals) => arrivals.toSorted((one, other) => one.atMs - other.atMs));
    fc.assert(
      fc.property(
        arrivalsOf,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 15 }),
        (arrivals, bots, serviceMs) => {
          expect(simulateWaits(arrivals, bots, serviceMs)).toEqual(waitsTickByTick(arrivals, bots, serviceMs));
        },
      ),
    );
  });
});

describe('botsNeededFor', () => {
  it('finds the fewest bots that keep nine of ten waits', () => {
    const arrivals = Array.from({ length: 10 }, () => normal(0));
    expect(botsNeededFor(arrivals, 60_000, 60_000)).toEqual({
      bots: 5,
      p90WaitMs: 60_000,
      p90WaitWithOneLessMs: 120_000,
    });
    expect(botsNeededFor(arrivals, 60_000, 0)).toMatchObject({ bots: 9, p90WaitMs: 0 });
    expect(botsNeededFor(arrivals, 60_000, 3_600_000)).toEqual({
      bots: 1,
      p90WaitMs: 480_000,
      p90WaitWithOneLessMs: null,
    });
  });

  it('does not mind the order in which the arrivals are given', () => {
    expect(botsNeededFor([normal(50), normal(0), normal(100)], 40, 0)).toMatchObject({ bots: 1 });
  });

  it('has no answer without orders', () => expect(botsNeededFor([], 1_000, 1_000)).toBeNull());

  it('is quick for a large day', () => {
    const arrivals = Array.from({ length: 20_000 }, (_, index) => normal(index * 1_000));
    expect(botsNeededFor(arrivals, 300_000, 60_000)?.bots).toBeGreaterThan(200);
  });
});

/** The same by brute force: at every tick, whoever is free takes what is due. */
function waitsTickByTick(arrivals: readonly Arrival[], bots: number, serviceMs: number): number[] {
  const busyUntil = Array.from({ length: bots }, () => 0);
  const waiting = [...arrivals];
  const waits: number[] = [];
  for (let nowMs = 0; waits.length < arrivals.length; nowMs += 1) {
    for (const [bot, untilMs] of busyUntil.entries()) {
      const due = waiting.filter(({ atMs }) => atMs <= nowMs);
      const next = due.find(({ lane }) => lane === 'vip') ?? due[0];
      if (untilMs > nowMs || next === undefined) continue;
      waiting.splice(waiting.indexOf(next), 1);
      waits.push(nowMs - next.atMs);
      busyUntil[bot] = nowMs + serviceMs;
    }
  }
  return waits;
}

import { describe, expect, it } from 'vitest';
import type { Lane } from '../../domain/lane.ts';
import { busiestQuarterOf, reportDay, type SentOrder } from './day-report.ts';
import { factsWithout } from './order-facts.ts';

const startMs = Date.UTC(2026, 2, 7, 8);

/** Placed at a file minute, replayed at speed 60: one file minute is one real second. */
function sent(minute: number, lane: Lane, waitMs: number, busyMs: number, changes: Partial<SentOrder> = {}): SentOrder {
  const placedAtMs = minute * 1_000;
  return {
    number: 1001 + minute,
    lane,
    fileAtMs: startMs + minute * 60_000,
    placedAtMs,
    alreadySent: false,
    facts: {
      firstStartedAtMs: placedAtMs + waitMs,
      startedAtMs: placedAtMs + waitMs,
      endedAtMs: placedAtMs + waitMs + busyMs,
      endedAs: 'complete',
      busyMs,
    },
    ...changes,
  };
}

function report(orders: SentOrder[], changes: object = {}) {
  return reportDay({
    orders,
    fileTimesMs: orders.map(({ fileAtMs }) => fileAtMs),
    speed: 60,
    waitMs: 180_000,
    mostBots: 2,
    endedAtMs: 100_000,
    ...changes,
  });
}

describe('reportDay', () => {
  it('gives waits and ready times by lane, in both clocks', () => {
    const { lanes } = report([
      sent(0, 'vip', 0, 1_000),
      sent(1, 'normal', 500, 1_000),
      sent(2, 'normal', 2_000, 1_000),
    ]);
    expect(lanes.vip.wait).toEqual({
      realTime: { p50Ms: 0, p90Ms: 0, maxMs: 0 },
      fileTime: { p50Ms: 0, p90Ms: 0, maxMs: 0 },
    });
    expect(lanes.normal.wait.realTime).toEqual({ p50Ms: 500, p90Ms: 2_000, maxMs: 2_000 });
    expect(lanes.normal.wait.fileTime).toEqual({ p50Ms: 30_000, p90Ms: 120_000, maxMs: 120_000 });
    expect(lanes.normal.ready.realTime).toEqual({ p50Ms: 1_500, p90Ms: 3_000, maxMs: 3_000 });
  });

  it('uses the measured mean of the service, in the file’s time, for the bots that would have been needed', () => {
    const { service, botsNeeded } = report([0, 1, 2, 3].map((minute) => sent(minute, 'normal', 0, 5_000)));
    expect(service).toEqual({ realTimeMs: 5_000, fileTimeMs: 300_000 });
    expect(botsNeeded).toMatchObject({ serviceMs: 300_000, isServiceMeasured: true, waitMs: 180_000, bots: 2 });
  });

  it('takes the service time that it is told', () => {
    const { botsNeeded } = report([sent(0, 'normal', 0, 5_000), sent(1, 'normal', 0, 5_000)], { serviceMs: 30_000 });
    expect(botsNeeded).toMatchObject({ serviceMs: 30_000, isServiceMeasured: false, bots: 1 });
  });

  it('says how many bots were busy on average', () => {
    expect(report([sent(0, 'normal', 0, 4_000), sent(0, 'vip', 0, 2_000)]).bots.meanBusy).toBe(1.5);
  });

  it('leaves out what an earlier replay had sent', () => {
    const day = report([sent(0, 'normal', 0, 1_000), sent(1, 'vip', 9_000, 9_000, { alreadySent: true })]);
    expect(day).toMatchObject({
      sent: 1,
      alreadySent: 1,
      ended: { complete: 1 },
      lanes: { vip: { orders: 0, wait: { realTime: null } } },
    });
  });

  it('reports a day that was stopped, with what is known', () => {
    const day = report([sent(0, 'normal', 0, 1_000), sent(1, 'vip', 0, 0, { facts: factsWithout() })]);
    expect(day).toMatchObject({
      sent: 2,
      unfinished: 1,
      lanes: { vip: { orders: 1, complete: 0, wait: { fileTime: null } } },
    });
  });

  it('has no figures without orders', () => {
    expect(report([])).toMatchObject({
      sent: 0,
      busiestQuarter: null,
      service: null,
      botsNeeded: null,
      bots: { meanBusy: null },
    });
  });
});

it('finds the busiest quarter of an hour, the earliest of several', () => {
  const minutes = [0, 14, 15, 16, 29, 31, 45, 46, 47];
  expect(busiestQuarterOf(minutes.map((minute) => startMs + minute * 60_000))).toEqual({
    fromMs: startMs + 15 * 60_000,
    orders: 3,
  });
});

import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { reportDay, type SentOrder } from './day-report.ts';
import { factsWithout } from './order-facts.ts';
import { notesOn, type ReplayReport } from './replay-report.ts';
import { refusedLineTexts, writeReport } from './report-text.ts';

const startMs = Date.UTC(2026, 2, 7, 8);

function reportOf(orders: SentOrder[], changes: Partial<ReplayReport> = {}): ReplayReport {
  const day = reportDay({
    orders,
    fileTimesMs: orders.map(({ fileAtMs }) => fileAtMs),
    speed: 60,
    waitMs: 180_000,
    mostBots: 2,
    endedAtMs: 60_000,
  });
  return {
    file: 'day.csv',
    fileHash: 'ab',
    speed: 60,
    isInterrupted: false,
    ordersInFile: orders.length,
    firstPlacedAt: new Date(startMs).toISOString(),
    lastPlacedAt: new Date(startMs).toISOString(),
    offsetMinutes: null,
    refusedLines: [],
    refusedOrders: [],
    day,
    notes: notesOn(day, { speed: 60, latestMs: 0, hadTrouble: false }),
    ...changes,
  };
}

function sent(number: number, lane: 'vip' | 'normal', waitMs: number): SentOrder {
  const startedAtMs = 1_000 + waitMs;
  const facts = {
    ...factsWithout(),
    firstStartedAtMs: startedAtMs,
    startedAtMs,
    endedAtMs: startedAtMs + 10_000,
    busyMs: 10_000,
  };
  return {
    number,
    lane,
    fileAtMs: startMs,
    placedAtMs: 1_000,
    alreadySent: false,
    facts: { ...facts, endedAs: 'complete' },
  };
}

function textOf(report: ReplayReport): string {
  const output = new PassThrough();
  writeReport(output, report);
  return String(output.read());
}

it('says of every time whether it is the file’s or real, and what an order took in both', () => {
  const text = textOf(reportOf([sent(1001, 'normal', 0), sent(1002, 'normal', 4_000), sent(1003, 'vip', 500)]));
  expect(text).toMatch(/NORMAL, file time +2 +2 +0 ms +4m 00s +4m 00s +10m 00s +14m 00s +14m 00s/);
  expect(text).toMatch(/NORMAL, real time +2 +2 +0 ms +4\.0 s +4\.0 s +10\.0 s +14\.0 s +14\.0 s/);
  expect(text).toMatch(/VIP, file time +1 +1 +30\.0 s/);
  expect(text).toMatch(/busiest quarter of an hour +Sat 08:00–08:15, 3 orders/);
  expect(text).toMatch(/an order took a bot +10\.0 s of real time = 10m 00s of the file's time at speed 60/);
  expect(text).toMatch(
    /bots needed +3 for nine of ten waits within 3m 00s of file time \(10m 00s an order, as measured\)/,
  );
  expect(text).toMatch(/note: .*BOT_PROCESSING_MS=1000, or say --service 1m/);
});

it('has a dash where there is nothing to measure', () => {
  expect(textOf(reportOf([]))).toMatch(/VIP, file time +0 +0 +– +– +–/);
});

it('has only the reason when all of it was sent before', () => {
  const orders = [1001, 1002].map((number) => ({ ...sent(number, 'normal', 0), alreadySent: true }));
  const text = textOf(reportOf(orders));
  expect(text).toMatch(/2 sent by an earlier replay.*\nnote: all of this file was sent .*--again WORD.*\n$/);
  expect(text).not.toContain('–');
  const some = textOf(reportOf([sent(1001, 'normal', 0), ...orders.slice(1)]));
  expect(some).toMatch(/note: 1 of this file.*\n\n.*WAIT p50/);
});

it('shows the first refusals and counts the rest', () => {
  const refusedLines = Array.from({ length: 25 }, (_, index) => ({
    line: index + 2,
    reason: 'lane is neither vip nor normal: "x"',
  }));
  const texts = refusedLineTexts({ refusedLines });
  expect(texts).toHaveLength(21);
  expect(texts[0]).toBe('line 2 refused: lane is neither vip nor normal: "x"');
  expect(texts.at(-1)).toBe('and 5 more lines refused');
  const refusedOrders = [
    { orderRef: '17', lines: [4, 9], code: 'product_unavailable', reason: '"soup" is not available now.' },
  ];
  expect(textOf(reportOf([], { refusedOrders }))).toContain(
    'order 17 (line 4, 9) refused: product_unavailable: "soup" is not available now.',
  );
});

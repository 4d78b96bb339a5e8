import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../../test/support/engine.ts';
import { type RunOptions, runCaptured, withoutColours } from '../captured-run.ts';
import type { ReplayReport } from './replay-report.ts';

/** A day's whole way, on the real engine. */
let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine('postgres');
  await engine.api.addBot();
  folder = await mkdtemp(path.join(tmpdir(), 'twolane-replay-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

const run = (args: string[], options: Partial<RunOptions> = {}) =>
  runCaptured(args, { env: { TWOLANE_URL: engine.web.url, TWOLANE_CONFIG_DIR: folder }, ...options });

async function fileWith(...lines: string[]): Promise<string> {
  const file = path.join(folder, 'day.csv');
  await writeFile(file, `${['placed_at,order_ref,customer,lane,sku,quantity,unit_price', ...lines].join('\n')}\n`);
  return file;
}

describe('replay', () => {
  const lines = [
    '2026-03-07 08:00:00,A,Ana,normal,espresso,1,2.40',
    '2026-03-07 08:00:30,B,,vip,flat-white,1,3.80',
    '2026-03-07 08:00:00,A,Ana,normal,bircher-muesli,2,6.20',
    '2026-03-07 08:20:00,C,,normal,croissant,lots,2.60',
    '2026-03-07 08:20:00,D,,normal,croissant,1,2.60',
  ];

  async function replay(...options: string[]): Promise<{ exitCode: number; report: ReplayReport; stderr: string }> {
    const { exitCode, stdout, stderr } = await run([
      'replay',
      await fileWith(...lines),
      '--speed',
      '12000',
      '--json',
      ...options,
    ]);
    return { exitCode, report: JSON.parse(stdout) as ReplayReport, stderr };
  }

  it('sends a day at its pace, follows it to the end and reports; then knows it again', async () => {
    const first = await replay('--import-products');
    expect(first.exitCode).toBe(1); // a line was refused
    expect(first.stderr).toContain('1 product imported');
    expect(first.stderr).toContain('line 5 refused: quantity is no whole number: "lots"');
    expect(first.report).toMatchObject({
      ordersInFile: 3,
      isInterrupted: false,
      refusedLines: [{ line: 5 }],
      refusedOrders: [],
      day: {
        sent: 3,
        ended: { complete: 3, failed: 0, cancelled: 0 },
        unfinished: 0,
        lanes: { vip: { orders: 1, complete: 1 }, normal: { orders: 2, complete: 2 } },
        busiestQuarter: { fromMs: Date.UTC(2026, 2, 7, 8), orders: 2 },
        bots: { most: 1 },
      },
    });
    const { service, lanes, botsNeeded } = first.report.day;
    expect(service?.realTimeMs).toBeGreaterThanOrEqual(45); // the bots of this engine take 50 ms
    expect(service?.fileTimeMs).toBe((service?.realTimeMs ?? 0) * 12_000);
    expect(lanes.vip.ready.realTime?.maxMs).toBeGreaterThanOrEqual(45);
    expect(botsNeeded?.bots).toBeGreaterThanOrEqual(1);
    const listed = await run(['orders', 'list', '--as', 'manager@twolane.test', '--status', 'complete', '--json']);
    const { orders } = JSON.parse(listed.stdout) as { orders: object[] };
    expect(orders).toContainEqual(
      expect.objectContaining({
        customerName: 'Ana',
        lane: 'normal',
        total: { amountMinor: 240 + 2 * 620, currency: 'EUR' },
      }),
    );

    const second = await replay();
    expect(second.report.day).toMatchObject({ sent: 0, alreadySent: 3 });
    expect(second.report.notes.join()).toContain('--again');
    const third = await replay('--again', 'tuesday', '--no-wait');
    expect(third.report.day).toMatchObject({ sent: 3, alreadySent: 0 });
  });

  it('stops on Ctrl-C with the report so far', async () => {
    const stop = new AbortController();
    const file = await fileWith(
      '2026-03-07 08:00,A,,normal,espresso,1,2.40',
      '2026-03-07 22:00,B,,normal,espresso,1,2.40',
    );
    const { exitCode, stdout } = await run(['replay', file, '--again', 'stopped'], {
      signal: stop.signal,
      isTty: true,
      onOutput: (soFar) => /complete {2}VIP 0 +NORMAL 1/.test(withoutColours(soFar)) && stop.abort(),
    });
    expect(exitCode).toBe(130);
    expect(withoutColours(stdout)).toMatch(
      /The day so far \(stopped\)\n2 orders in the file, 1 sent, 0 refused, 1 complete\n/,
    );
  });

  it('says beforehand that the bots there are cannot keep up', async () => {
    const minutes = Array.from({ length: 5 }, (_, index) => `2026-03-07 08:0${index},${index},,normal,espresso,1,2.40`);
    const file = await fileWith(...minutes);
    // an order takes 50 ms here, as the ones before have shown; the whole file takes 20 ms at this speed
    const { exitCode, stdout } = await run(['replay', file, '--speed', '12000', '--wait', '1s']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/at speed 12000 sending takes 20 ms\nat this speed about \d bots are needed, there is 1 \(/);
    expect(stdout).toMatch(/5 orders in the file, 5 sent/);
  });

  it('refuses what is not in the catalogue when nobody wants an import', async () => {
    const file = await fileWith('2026-03-07 08:00,A,,normal,unheard-of,1,2.40');
    const { exitCode, stdout, stderr } = await run(['replay', file]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('not in the catalogue: unheard-of');
    expect(stdout).toContain('line 2 refused: "unheard-of" is not in the catalogue (--import-products adds it)');
    expect(stderr).toContain('no order that can be sent');
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../test/support/engine.ts';
import type { ReplayReport } from './replay/replay-report.ts';
import { runCli } from './run-cli.ts';
import type { ShiftSummary } from './simulate/shift-summary.ts';
import { type Output, visibleWidth } from './terminal.ts';

/** The commands as a shell runs them, on the real engine. */
let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine('postgres');
  folder = await mkdtemp(path.join(tmpdir(), 'twolane-cli-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

interface RunOptions {
  env?: Record<string, string>;
  signal?: AbortSignal;
  isTty?: boolean;
  onOutput?: (soFar: string) => void;
}

async function run(args: string[], { env, signal, isTty = false, onOutput }: RunOptions = {}) {
  const said = { stdout: '', stderr: '' };
  const outputOf = (name: keyof typeof said): Output => {
    const output = Object.assign(new PassThrough(), isTty ? { isTTY: true, columns: 100, rows: 40 } : {});
    output.on('data', (bytes) => {
      said[name] += String(bytes);
      onOutput?.(said[name]);
    });
    return output;
  };
  const exitCode = await runCli(args, {
    stdin: new PassThrough(),
    stdout: outputOf('stdout'),
    stderr: outputOf('stderr'),
    env: env ?? { TWOLANE_URL: engine.web.url },
    projectFolder: folder,
    signal: signal ?? new AbortController().signal,
  });
  return { exitCode, ...said };
}

/** With --json, stdout must be one JSON value and nothing else. */
async function runJson<Value>(...args: string[]): Promise<Value> {
  const { exitCode, stdout, stderr } = await run([...args, '--json']);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return JSON.parse(stdout) as Value;
}

interface OrderAnswer {
  order: { number: number; lane: string; status: string; total: { amountMinor: number }; note: string | null };
}

describe('orders', () => {
  it('places, shows, lists and cancels', async () => {
    const { order } = await runJson<OrderAnswer>(
      'orders',
      'place',
      '--item',
      'espresso:2',
      '--item',
      'croissant',
      '--note',
      'to go',
    );
    expect(order).toMatchObject({ lane: 'normal', status: 'pending', total: { amountMinor: 740 }, note: 'to go' });
    const shown = await run(['orders', 'show', String(order.number), '--events']);
    expect(shown.stdout).toMatch(/order \d+ {2}NORMAL {2}PENDING\n {4}2 × Espresso {2}€4\.80/);
    expect(shown.stdout).toMatch(/placed +normal@twolane\.test|placed/);
    const { orders } = await runJson<{ orders: { number: number }[] }>('orders', 'list', '--status', 'pending');
    expect(orders.map(({ number }) => number)).toContain(order.number);
    const cancelled = await runJson<OrderAnswer>(
      'orders',
      'cancel',
      String(order.number),
      '--reason',
      'changed my mind',
    );
    expect(cancelled.order.status).toBe('cancelled');
  });

  it('places as VIP, and never twice with one key', async () => {
    const place = ['orders', 'place', '--vip', '--item', 'flat-white', '--key', 'till-4711'];
    const first = await runJson<OrderAnswer>(...place);
    const again = await runJson<OrderAnswer>(...place);
    expect(first.order.lane).toBe('vip');
    expect(again.order.number).toBe(first.order.number);
    expect((await run(place)).stdout).toContain('this key was used before');
    await run(['orders', 'cancel', String(first.order.number), '--as', 'vip@twolane.test']);
  });

  it('ends with 1 and says the code and what to do when it is refused', async () => {
    const refused = await run(['orders', 'place', '--item', 'unicorn']);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/Product unknown\n {2}product_unknown \(422\): .*unicorn.*\n {2}GET \/v1\/products/);
    const forbidden = await run(['orders', 'place', '--item', 'espresso', '--lane', 'vip']);
    expect(forbidden).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('manager@twolane.test') });
    expect(await run(['orders', 'show', '999999', '--json'])).toMatchObject({ exitCode: 1, stdout: '' });
  });
});

describe('bots', () => {
  it('adds, lists and removes, and gives an order back', async () => {
    expect(await run(['bots', 'remove'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no_bots (404)'),
    });
    const { bot } = await runJson<{ bot: { number: number } }>('bots', 'add');
    const { bots } = await runJson<{ bots: { number: number }[] }>('bots', 'list');
    expect(bots).toMatchObject([{ number: bot.number }]);
    expect((await run(['bots', 'list'])).stdout).toMatch(/^BOT +STATUS/);
    expect((await run(['bots', 'remove'])).stdout).toBe(`bot ${bot.number} removed\n`);
  });

  it('may be refused to others', async () => {
    expect(await run(['bots', 'add', '--as', 'normal@twolane.test'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('forbidden (403)'),
    });
  });
});

describe('queues', () => {
  it('shows and rebuilds', async () => {
    const status = await runJson<{ backend: string; queues: object[] }>('queues', 'status');
    expect(status).toMatchObject({
      backend: 'postgres',
      queues: expect.arrayContaining([expect.objectContaining({ failed: 0 })]),
    });
    expect((await run(['queues', 'status'])).stdout).toMatch(/backend postgres.*\nQUEUE +WAITING/);
    expect(await runJson('queues', 'rebuild')).toEqual({ rebuilt: { vip: 0, normal: 0 } });
  });

  it('says how to sign in', async () => {
    const env = { TWOLANE_URL: engine.web.url, ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: 'wrong' };
    expect(await run(['queues', 'status'], { env })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('ADMIN_PASSWORD'),
    });
  });
});

describe('board', () => {
  it('shows the board once', async () => {
    expect(await runJson('board', '--once')).toMatchObject({ pending: [], bots: { total: 0 } });
    expect((await run(['board', '--once'])).stdout).toMatch(/PENDING 0 +PROCESSING 0 +COMPLETE/);
  });

  it('tells each move in a line, until it is stopped', async () => {
    const stop = new AbortController();
    let placed: Promise<{ number: number }> | undefined;
    const { exitCode, stdout } = await run(['board'], {
      signal: stop.signal,
      onOutput: (soFar) => {
        placed ??= engine.api.place('vip'); // the stream is there once it has told the board
        if (soFar.includes('PENDING → CANCELLED')) stop.abort();
        else if (soFar.includes('VIP PENDING')) void placed.then(({ number }) => cancel(number));
      },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /board: pending 0.*\n\[\d\d:\d\d:\d\d\] order \d+ VIP PENDING\n\[\d\d:\d\d:\d\d\] order \d+ VIP PENDING → CANCELLED/,
    );
  });

  it('draws in place on a terminal', async () => {
    const stop = new AbortController();
    const { exitCode, stdout } = await run(['board'], {
      signal: stop.signal,
      isTty: true,
      onOutput: (soFar) => soFar.includes('COMPLETE') && stop.abort(),
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/live/);
    expect(stdout.endsWith('\u001b[?25h')).toBe(true); // the cursor is back
    expect(Math.max(...stdout.split('\n').map(visibleWidth))).toBeLessThan(100);
  });
});

async function cancel(number: number): Promise<void> {
  await engine.api.call('POST', `/v1/orders/${number}/cancel`, { as: 'manager@twolane.test', body: {} });
}

describe('exit codes', () => {
  it('ends with 2 for what cannot be meant', async () => {
    for (const args of [
      ['frobnicate'],
      ['orders'],
      ['orders', 'place'],
      ['orders', 'show', 'x'],
      ['orders', 'place', '--item', 'a:b'],
      ['bots', 'add', '--url', 'nowhere'],
    ]) {
      expect(await run(args), args.join(' ')).toMatchObject({ exitCode: 2, stdout: '' });
    }
  });

  it('ends with 3, the address and the way out when there is no server', async () => {
    const env = { TWOLANE_URL: 'http://127.0.0.1:9' };
    for (const args of [
      ['orders', 'list'],
      ['board'],
      ['replay', await fileWith('2026-03-07 08:00,1,,normal,espresso,1,2.40')],
    ]) {
      const { exitCode, stderr } = await run(args, { env });
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(/http:\/\/127\.0\.0\.1:9 .*\n.*npm start/);
    }
  });

  it('shows help with examples for every command', async () => {
    const commands = [
      '',
      'orders',
      'orders place',
      'orders list',
      'orders show',
      'orders cancel',
      'bots',
      'bots add',
      'bots remove',
      'bots list',
      'board',
      'queues',
      'queues status',
      'queues rebuild',
      'replay',
      'simulate',
    ];
    for (const command of commands) {
      const { exitCode, stdout } = await run([...command.split(' ').filter(Boolean), '--help']);
      expect(exitCode).toBe(0);
      expect(stdout, command).toMatch(/Examples:\n {2}\$ twolane /);
    }
  });
});

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
    await engine.api.addBot();
    const first = await replay('--import-products');
    expect(first.exitCode).toBe(1); // a line was refused
    expect(first.stderr).toContain('1 products imported');
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
    const { orders } = await runJson<{ orders: { customerName: string; total: { amountMinor: number } }[] }>(
      ...['orders', 'list', '--as', 'manager@twolane.test', '--search', String(1001), '--limit', '1'],
    );
    expect(Array.isArray(orders)).toBe(true);

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

  it('refuses what is not in the catalogue when nobody wants an import', async () => {
    const file = await fileWith('2026-03-07 08:00,A,,normal,unheard-of,1,2.40');
    const { exitCode, stdout, stderr } = await run(['replay', file]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('not in the catalogue: unheard-of');
    expect(stdout).toContain('line 2 refused: "unheard-of" is not in the catalogue (--import-products adds it)');
    expect(stderr).toContain('no order that can be sent');
  });
});

function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/\u001b\[[0-9;?]*[a-zA-Z]/g, '');
}

describe('simulate', () => {
  it('plays the classic shift twice, and both go as they must', async () => {
    const env = { DATABASE_URL: process.env.TEST_DATABASE_URL ?? '' };
    const { exitCode, stdout, stderr } = await run(['simulate', '--speed', '20', '--json'], { env });
    const { isRight, runs } = JSON.parse(stdout) as { isRight: boolean; runs: ShiftSummary[] };
    expect({ exitCode, isRight, unmet: runs.flatMap((one) => one.expectations.filter(({ isMet }) => !isMet)) }).toEqual(
      { exitCode: 0, isRight: true, unmet: [] },
    );
    for (const one of runs)
      expect(one).toMatchObject({ orders: { total: 4, vip: 2, normal: 2 }, completed: 4, bots: 1, pending: 0 });
    const clock = /\[\d\d:\d\d:\d\d\] /g;
    const [idle, midOrder] = runs.map(({ lines }) => lines.map((line) => line.replace(clock, '')));
    expect(idle?.slice(0, 3)).toEqual([
      'order 1001 NORMAL → PENDING',
      'order 1002 VIP → PENDING',
      'order 1003 NORMAL → PENDING',
    ]);
    expect(idle).toContain('bot 1 picked up order 1002 (VIP) → PROCESSING');
    expect(idle?.at(-1)).toBe('bot 2 destroyed while IDLE');
    expect(midOrder?.join('\n')).toMatch(
      /bot 2 destroyed while doing order (\d+)\norder \1 \((NORMAL|VIP)\) back to PENDING/,
    );
    expect(stderr).toContain('[');
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../test/support/engine.ts';
import { type RunOptions, runCaptured } from './captured-run.ts';
import { visibleWidth } from './terminal.ts';

const saturday = path.join(import.meta.dirname, '../../docs/examples/a-saturday.csv');

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

const run = (args: string[], options: Partial<RunOptions> = {}) =>
  runCaptured(args, {
    env: { TWOLANE_URL: engine.web.url, TWOLANE_CONFIG_DIR: folder },
    projectFolder: folder,
    ...options,
  });

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
    expect(shown.stdout).toMatch(/AT +WHAT +BY.*\n\d\d:\d\d:\d\d +placed +/);
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
    const { stdout } = await run(place);
    expect(stdout).toContain('this key was used before');
    const [, next = ''] = /see it again: twolane (.*)$/m.exec(stdout) ?? [];
    expect(next).toBe(`orders show ${first.order.number} --as vip@twolane.test`);
    expect((await run(next.split(' '))).stdout).toContain(`order ${first.order.number}  VIP  PENDING`);
    const asAnother = await run(['orders', 'show', String(first.order.number)]);
    expect(asAnother.stderr).toContain('--as manager@twolane.test');
    await runJson('orders', 'cancel', String(first.order.number), '--as', 'vip@twolane.test');
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
    expect(await run(['bots', 'remove'])).toEqual({ exitCode: 0, stdout: `bot ${bot.number} removed\n`, stderr: '' });
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
    for (const args of [['orders', 'list'], ['board'], ['replay', saturday]]) {
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
      'products',
      'products list',
      'products import',
      'login',
      'logout',
      'whoami',
      'users',
      'users add',
      'users list',
      'users role',
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

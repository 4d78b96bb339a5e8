import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCaptured } from '../src/cli/captured-run.ts';
import type { Order } from '../src/domain/order.ts';
import { type MoneyEngine, startMoneyEngine } from './support/money.ts';

let money: MoneyEngine;
let folder: string;
beforeAll(async () => {
  money = await startMoneyEngine('postgres', { env: { BOT_PROCESSING_MS: '10' } });
  await money.engine.api.addBot();
  folder = await mkdtemp(path.join(tmpdir(), 'twolane-pay-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await money.close();
});

const run = (...words: string[]) =>
  runCaptured(words, { projectFolder: folder, env: { TWOLANE_URL: money.engine.web.url, TWOLANE_CONFIG_DIR: folder } });

it('places an order that is paid online, says where, and gives parts of it back', async () => {
  const placed = await run('orders', 'place', '--item', 'espresso', '--pay', 'stripe');
  expect(placed).toMatchObject({ exitCode: 0, stderr: '' });
  expect(placed.stdout).toContain('AWAITING PAYMENT');
  const number = Number(/order (\d+)/.exec(placed.stdout)?.[1]);
  const [, url = ''] = /pay at (http\S+)/.exec(placed.stdout) ?? [];
  expect((await run('orders', 'pay', String(number))).stdout.trim()).toBe(url);

  money.pay({ payment: { checkoutUrl: url } } as Order);
  await money.untilAt(number, 'complete', 'captured');
  const shown = await run('orders', 'show', String(number), '--events');
  expect(shown.stdout).toMatch(/stripe: captured \(ch_/);
  expect(shown.stdout).toMatch(/payment captured/);

  const unpayable = await run('orders', 'pay', String(number));
  expect(unpayable).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('complete') });
  expect(await run('orders', 'refund', String(number), '--amount', '1.505')).toMatchObject({ exitCode: 2 });
  const part = () =>
    run('orders', 'refund', String(number), '--amount', '1.50', '--reason', 'cold', '--key', `cold-${number}`);
  const given = await part();
  expect(given.stdout).toMatch(/^as manager@twolane\.test .*--as.*\n€1\.50 of order \d+ is on its way back\n$/);
  await money.untilAt(number, 'complete', 'partially_refunded');
  expect((await part()).stdout).toMatch(/this key was used before.*\n€1\.50 of order \d+ went back/);
  expect(await money.moved(number).filter((line) => line.startsWith('refunded'))).toEqual(['refunded 150 EUR']);
  const named = await run('orders', 'show', String(number), '--events', '--as', 'manager@twolane.test');
  expect(named.stdout).toMatch(/refund requested +manager +\d+ +amount €1\.50, reason cold/);
  expect(named.stdout).toMatch(/payment captured .*amount €2\.40/);
  expect((await run('orders', 'refund', String(number))).stdout).toContain('€0.90 of order');
  await money.untilAt(number, 'complete', 'refunded');
  expect(await run('orders', 'refund', String(number))).toMatchObject({ exitCode: 1 });
});

it('finds an order by the payment reference', async () => {
  const order = await money.placeOnline('paypal');
  const found = await run('orders', 'list', '--search', order.payment.reference ?? '', '--as', 'manager@twolane.test');
  expect(found.stdout).toContain(String(order.number));
  expect(found.stdout).toMatch(new RegExp(`${order.number} .*€2\\.40 +paypal requires payment`));
  expect(await run('orders', 'refund', String(order.number), '--as', 'manager@twolane.test')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('was captured, so there is nothing to give back'),
  });
});

it('tries a payment once more, as a manager, and says as whom', async () => {
  const { number } = await money.placeOnline('stripe');
  const retried = await run('payments', 'retry', String(number));
  expect(retried).toMatchObject({ exitCode: 0, stderr: '' });
  expect(retried.stdout).toMatch(/^as manager@twolane\.test .*\nthe payment of order \d+ is tried once more/);
  const refused = await run('payments', 'retry', String(number), '--as', 'normal@twolane.test');
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
});

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureDebianPackage } from '../sandbox/debian-package.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

let engine: Engine;
let browser: Browser;

beforeAll(async () => {
  const installed = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  const executablePath = existsSync(installed) ? installed : await ensureDebianPackage('chromium', 'chromium');
  [engine, browser] = await Promise.all([
    startEngine('postgres', { roles: [] }),
    chromium.launch({
      executablePath,
      args: [
        '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run'.split(' '),
        '--disable-background-networking --disable-component-update --disable-sync'.split(' '),
      ].flat(),
    }),
  ]);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await engine?.close();
});

it('works in a browser, asks nobody elsewhere for anything, and takes no orders from other pages', async () => {
  await engine.api.place('vip');
  const context = await browser.newContext({ httpCredentials: { username: 'admin', password: 'twolane-demo' } });
  const page = await context.newPage();
  const faults: string[] = [];
  const elsewhere: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('response', (response) => {
    if (!response.url().startsWith(engine.web.url)) elsewhere.push(response.url());
    else if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`${engine.web.url}/admin/queues`);
  await page.getByText('orders-vip').first().waitFor();
  expect(await page.title()).toMatch(/twolane queues/);
  await page.goto(`${engine.web.url}/admin/queues/queue/orders-vip`);
  await page.getByText('order-1001-1').first().waitFor();

  // what a button of the page does: its own requests carry the password, and pass
  const ask = (method: string, path: string) =>
    page.evaluate(
      ([method = '', url = '']) => fetch(url, { method }).then(({ status }) => status),
      [method, `${engine.web.url}/admin/queues/api${path}`],
    );
  expect(await ask('PUT', '/queues/orders-vip/pause')).toBe(200);
  const isPaused = async () => {
    const answer = await engine.api.call<{ queues: { name: string; isPaused: boolean }[] }>(
      'GET',
      '/admin/queues/api/queues',
      { headers: adminHeader },
    );
    return answer.body.queues.find(({ name }) => name === 'orders-vip')?.isPaused;
  };
  await until('a paused queue', isPaused);

  // only the stylesheet of fonts, which is elsewhere, was kept out
  expect(faults.filter((fault) => !/fonts\.googleapis\.com.*Content Security Policy/s.test(fault))).toEqual([]);
  expect(elsewhere).toEqual([]);

  // the same browser, on a page of somebody else: a form needs no permission of CORS
  const other = await context.newPage();
  await other.route('http://evil.test/', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="${engine.web.url}/v1/admin/queues/rebuild"><button>win</button></form>`,
    }),
  );
  await other.goto('http://evil.test/');
  const [refused] = await Promise.all([
    other.waitForResponse((response) => response.url().endsWith('/rebuild')),
    other.getByRole('button').click(),
  ]);
  expect(refused.status()).toBe(403);
});

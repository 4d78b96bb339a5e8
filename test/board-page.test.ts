import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findFreePort } from '../sandbox/free-port.ts';
import { manager, samplePassword } from './support/api.ts';
import { type BoardBrowser, click, signInAs, startBoardBrowser, untilLive } from './support/board-browser.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startWebProcess } from './support/engine-process.ts';
import { until } from './support/until.ts';

let engine: Engine;
let browser: BoardBrowser;
const processes: EngineProcess[] = [];

beforeAll(async () => {
  [engine, browser] = await Promise.all([
    startEngine('postgres', { env: { BOT_PROCESSING_MS: '1200' } }),
    startBoardBrowser(),
  ]);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await killAll(processes);
  await engine?.close();
});

async function openAsManager(url: string): Promise<Page> {
  const page = await browser.open(url);
  await signInAs(page, 'Mara Manager');
  return page;
}

const numbersIn = (page: Page, list: string) => page.locator(`#${list}-list .number`).allTextContents();

const lists = async (page: Page) => ({
  pending: await numbersIn(page, 'pending'),
  processing: await numbersIn(page, 'processing'),
  complete: await numbersIn(page, 'complete'),
});

async function seeLists(
  page: Page,
  what: string,
  expected: { pending: string[]; processing: string[]; complete: string[] },
) {
  await until(what, async () => JSON.stringify(await lists(page)) === JSON.stringify(expected)).catch(
    async (error: Error) => {
      expect(await lists(page), error.message).toEqual(expected);
    },
  );
  const counts = await page.locator('.count').allTextContents();
  expect(counts).toEqual(Object.values(expected).map((list) => String(list.length)));
}

/** A web process of its own, so that it can be killed. */
async function startWeb(port: number): Promise<EngineProcess> {
  const web = await startWebProcess({ ...engine.environment, PORT: String(port) });
  processes.push(web);
  return web;
}

it('shows orders on their way, in every window, as the four buttons are clicked', async () => {
  const [page, other] = await Promise.all([openAsManager(engine.web.url), openAsManager(engine.web.url)]);
  await page.getByText('There is no bot yet. Add one with + Bot.').waitFor();
  await click(page, 'New Normal Order');
  await seeLists(page, 'a normal order', { pending: ['1001'], processing: [], complete: [] });
  await click(page, 'New Normal Order');
  await click(page, 'New VIP Order');
  for (const one of [page, other]) {
    await seeLists(one, 'VIP first', { pending: ['1003', '1001', '1002'], processing: [], complete: [] });
    expect(await one.locator('#pending-list li').first().textContent()).toMatch(/^1003VIP/);
  }

  await click(page, '+ Bot');
  for (const one of [page, other]) {
    await seeLists(one, 'the VIP order in hand', { pending: ['1001', '1002'], processing: ['1003'], complete: [] });
    expect(await one.locator('#processing-list li').textContent()).toMatch(/^1003VIPBot 1/);
    await one.getByText('Bot 1order 1003').waitFor();
  }
  await seeLists(other, 'the next in hand', { pending: ['1002'], processing: ['1001'], complete: ['1003'] });
  await page.getByRole('progressbar', { name: 'Order 1001' }).waitFor();
  await click(other, '− Bot');
  for (const one of [page, other])
    await seeLists(one, 'the order back in its place', {
      pending: ['1001', '1002'],
      processing: [],
      complete: ['1003'],
    });
  await click(other, '− Bot');
  await other.getByText('There is no bot to remove.').waitFor();

  await click(other, '+ Bot');
  await click(other, '+ Bot');
  await until('all of them done', async () => (await numbersIn(page, 'complete')).length === 3);
  await page.getByText('2 in all · 0 processing · 2 idle').waitFor();
  await page.getByText('Nobody is waiting.').waitFor();
  expect(await page.locator('#announcements').textContent()).not.toBe('');
  await Promise.all([page.close(), other.close()]);
});

it('says since when it is stale while the server is gone, and recovers without a reload', async () => {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const web = await startWeb(port);
  const page = await openAsManager(url);
  await page.evaluate('window.notReloaded = true');
  web.signal('SIGKILL');
  await web.ended;
  await page.getByText(/^Reconnecting… stale since \d\d:\d\d:\d\d$/).waitFor();
  await click(page, '+ Bot');
  await page.getByText('The server does not answer. Try again in a moment.').waitFor({ timeout: 1_000 }); // at once
  const { number } = await engine.api.place('vip');

  await startWeb(port);
  await untilLive(page);
  await page.locator('#complete-list .number').getByText(String(number)).waitFor();
  expect(await page.evaluate('window.notReloaded')).toBe(true);
  await page.close();
});

it('counts down from the very first start that it sees', async () => {
  const slow = await startEngine('postgres', { env: { BOT_PROCESSING_MS: '9000' } });
  try {
    await slow.api.addBot();
    const page = await openAsManager(slow.web.url);
    let asked = 0;
    page.on('request', (request) => {
      if (new URL(request.url()).pathname === '/v1/board') asked += 1;
    });
    await click(page, 'New VIP Order');
    await page
      .locator('#processing-list .remaining')
      .getByText(/^[5-9] s$/)
      .waitFor({ timeout: 4_000 });
    expect(await page.locator('#processing-list .bar').getAttribute('data-known')).toBe('true');
    expect(asked).toBe(1);
    await page.close();
  } finally {
    await slow.close();
  }
});

it('fades in what is news, not the board that it finds', async () => {
  const { number } = await engine.api.place('normal');
  await until('an order that rests', async () =>
    (await engine.api.board()).complete.some((order) => order.number === number),
  );
  const page = await browser.open(engine.web.url);
  const fades = () =>
    page.evaluate<number>(
      "document.getAnimations().filter((one) => one.effect.target.matches('li') && one.playState === 'running').length",
    );
  await page.locator('.number').getByText(String(number)).waitFor();
  expect(await fades()).toBe(0);
  await signInAs(page, 'Mara Manager');
  expect(await fades()).toBe(0);
  await click(page, 'New VIP Order');
  await until('a fade', async () => (await fades()) > 0);
  expect(await page.getByRole('link', { name: 'Queues' }).getAttribute('href')).toBe('/admin/queues');
  expect(await page.getByRole('link', { name: 'API' }).getAttribute('href')).toBe('/docs');
  await page.close();
});

it('shows for a moment what a press has done, read aloud once, and moves nothing', async () => {
  await engine.api.addBot();
  const page = await openAsManager(engine.web.url);
  const notice = page.locator('#notices');
  const places = () =>
    page.evaluate<string>(
      "JSON.stringify([...document.querySelectorAll('.columns, .foot, .top')].map((one) => one.getBoundingClientRect()))",
    );
  await notice.getByText('Signed in as Mara Manager.').waitFor();
  await page.locator('#bots-list li').first().waitFor();
  const placesMeanwhile = await places();
  await notice.getByText(/./).waitFor({ state: 'detached', timeout: 8_000 });
  expect(await places()).toBe(placesMeanwhile);

  const pressedAt = Date.now();
  await click(page, 'New VIP Order');
  await notice.getByText(/^Order \d+ placed\.$/).waitFor();
  expect(await notice.getAttribute('aria-hidden')).toBe('true');
  expect(await page.getByRole('alert').allTextContents()).not.toContain(await notice.textContent());
  await click(page, '+ Bot');
  await notice.getByText(/^Bot \d+ added\.$/).waitFor();
  expect(await notice.locator('p').count()).toBe(1);
  await notice.getByText(/./).waitFor({ state: 'detached', timeout: 8_000 });
  expect(Date.now() - pressedAt).toBeGreaterThan(4_900);
  await click(page, '− Bot');
  await notice.getByText(/^Bot \d+ removed\./).waitFor();
  await page.close();
});

it('works on a small screen and by keyboard', async () => {
  const page = await browser.open(engine.web.url, { size: { width: 360, height: 740 } });
  const width = () => page.evaluate<number>('document.documentElement.scrollWidth');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('sample accounts').waitFor();
  expect(await width()).toBeLessThanOrEqual(360);
  await page.keyboard.type(manager);
  await page.keyboard.press('Tab');
  await page.keyboard.type(samplePassword);
  await page.keyboard.press('Enter');
  await page.locator('#sign-in').waitFor({ state: 'hidden' });
  await page.locator(':focus-visible', { hasText: /^New Normal Order$/ }).waitFor();
  expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
  const before = (await engine.api.board()).counts.complete;
  await page.keyboard.press('Enter');
  await page
    .locator('#complete-count')
    .getByText(String(before + 1), { exact: true })
    .waitFor();
  expect(await width()).toBeLessThanOrEqual(360);
  await page.close();
});

it('kept to its content security policy and threw nothing', () => {
  expect(browser.faults).toEqual([]);
});

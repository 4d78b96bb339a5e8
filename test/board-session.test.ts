import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { findFreePort } from '../sandbox/free-port.ts';
import {
  answersOf,
  type BoardBrowser,
  buttonsOf,
  click,
  isPlaced,
  managerButtons,
  signInAs,
  signInByTyping,
  startBoardBrowser,
  typedManager,
  untilLive,
  untilSignedIn,
  untilSignedOut,
} from './support/board-browser.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startWebProcess } from './support/engine-process.ts';
import { until } from './support/until.ts';

vi.setConfig({ testTimeout: 60_000 }); // some start two web processes, on a machine that may be busy
let engine: Engine;
let browser: BoardBrowser;
const processes: EngineProcess[] = [];

beforeAll(async () => {
  [engine, browser] = await Promise.all([startEngine('postgres', { roles: ['relay'] }), startBoardBrowser()]);
  await engine.api.addBot();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await killAll(processes);
  await engine?.close();
});

/** A web process of its own, to be killed and to have other settings. */
async function startWeb(more: Record<string, string> = {}) {
  const web = await startWebProcess({ ...engine.environment, ...more });
  processes.push(web);
  return web;
}

const tokenOf = (page: Page) =>
  page.evaluate<string>("JSON.parse(sessionStorage.getItem('twolane.session')).refreshToken");

/** The server ends it, and the page, which is up to date otherwise, is not told. */
async function endSessionOf(page: Page): Promise<void> {
  await page.locator('#bots-list li').first().waitFor();
  const { status } = await engine.api.call('POST', '/v1/auth/logout', { body: { refreshToken: await tokenOf(page) } });
  expect(status).toBe(204);
}

const isRenewed = (answer: string) => answer === 'POST /v1/auth/refresh 200';

it('renews its token before the end, once for all who need it', async () => {
  const web = await startWeb({ JWT_ACCESS_TOKEN_DURATION: '2s' });
  const page = await browser.open(web.url);
  const answers = answersOf(page);
  await signInAs(page, 'Mara Manager');
  const endedAt = Date.now() + 2_000;
  for (const round of [1, 2]) {
    await until('the end of the token', () => Date.now() > endedAt + (round - 1) * 2_000);
    answers.length = 0;
    await page.evaluate(
      "for (const action of ['normal-order', 'vip-order']) document.querySelector('[data-action=' + action + ']').click()",
    );
    await until('both orders', () => answers.filter(isPlaced).length === 2);
    expect(answers.filter(isRenewed)).toHaveLength(1);
    expect(answers.filter((answer) => answer.endsWith('401'))).toEqual([]);
  }
  await page.close();
});

it('stays signed in over a restart of the web process and a reload, also when its token is not believed any more', async () => {
  const port = String(await findFreePort());
  const web = await startWeb({ PORT: port });
  const page = await browser.open(web.url);
  await signInAs(page, 'Mara Manager');
  web.signal('SIGKILL');
  await web.ended;
  await startWeb({ PORT: port, JWT_SECRET: 'another-secret-of-the-tests-that-is-long-enough' });
  await untilLive(page);
  const answers = answersOf(page);
  await click(page, 'New VIP Order');
  await until('the order', () => answers.some(isPlaced));
  expect(answers.filter((answer) => /orders|auth/.test(answer))).toEqual([
    'POST /v1/orders 401',
    'POST /v1/auth/refresh 200',
    'POST /v1/orders 201',
  ]);
  await page.reload();
  await untilLive(page);
  expect(await buttonsOf(page)).toEqual(managerButtons);
  await click(page, 'New Normal Order');
  await until('an order after the reload', () => answers.filter(isPlaced).length === 2);
  await page.close();
});

it('asks again when the server has ended the session, and the press goes on after it', async () => {
  const page = await browser.open(engine.web.url);
  await signInAs(page, 'Mara Manager');
  await endSessionOf(page);
  const answers = answersOf(page);
  await click(page, 'New VIP Order');
  await page.locator('#sign-in-reason').getByText('Your sign-in has ended. Sign in again to go on.').waitFor();
  expect(answers.filter(isPlaced)).toEqual([]);
  await signInByTyping(page, typedManager);
  await until('the order', () => answers.some(isPlaced));
  expect(await page.evaluate('document.activeElement.textContent')).toBe('New VIP Order');
  expect(await buttonsOf(page)).toEqual(managerButtons);
  await page.close();
});

it('gives a press up, and is the public board, when nobody signs in again', async () => {
  const page = await browser.open(engine.web.url);
  await signInAs(page, 'Mara Manager');
  await endSessionOf(page);
  const answers = answersOf(page);
  await click(page, 'New VIP Order');
  await page.locator('#sign-in-reason').getByText('Your sign-in has ended. Sign in again to go on.').waitFor();
  await page.keyboard.press('Escape');
  await untilSignedOut(page);
  expect(await buttonsOf(page)).toEqual(['Sign in']);
  expect(answers.filter(isPlaced)).toEqual([]);
  expect(await page.evaluate('sessionStorage.length')).toBe(0);
  await page.close();
});

it('says that the sign-in has ended when it finds out by itself, and asks nothing', async () => {
  const page = await browser.open(engine.web.url);
  await signInAs(page, 'Mara Manager');
  await endSessionOf(page);
  await engine.api.addBot();
  await untilSignedOut(page);
  await page.getByRole('alert').getByText('Your sign-in has ended. Sign in again to go on.').waitFor();
  expect(await page.getByRole('dialog').isVisible()).toBe(false);
  await page.close();
});

it('stays signed in on the device when asked to: for every tab, until one of them signs out', async () => {
  const web = await startWeb({ JWT_ACCESS_TOKEN_DURATION: '4s' });
  const context = await browser.openContext();
  const [tab, other] = [await browser.open(web.url, { context }), await browser.open(web.url, { context })];
  await click(tab, 'Sign in');
  await signInByTyping(tab, { ...typedManager, isKept: true });
  for (const one of [tab, other]) await untilSignedIn(one);

  const endedAt = Date.now() + 4_000;
  await until('the end of the token', () => Date.now() > endedAt);
  const answers = [answersOf(tab), answersOf(other)];
  const press = "document.querySelector('[data-action=vip-order]').click()";
  await Promise.all([tab.evaluate(press), other.evaluate(press)]); // both renew at once
  await until('an order of each', () => answers.every((list) => list.some(isPlaced)));
  expect(answers.flat().filter((answer) => answer.endsWith('401'))).toEqual([]);

  const later = await browser.open(web.url, { context });
  expect(await buttonsOf(later)).toEqual(managerButtons);
  await click(other, 'Sign out');
  for (const one of [tab, other, later]) await untilSignedOut(one);
  await click(tab, 'Sign in');
  await signInByTyping(tab, typedManager);
  await untilSignedIn(tab);
  await later.reload();
  await untilLive(later);
  expect(await buttonsOf(later)).toEqual(['Sign in']); // this time only the tab
  await context.close();
});

it('asks again at the next press when another tab signed out unheard', async () => {
  const context = await browser.openContext();
  const deaf = await browser.open(engine.web.url, {
    context,
    script:
      "{ const add = addEventListener; window.addEventListener = (type, hear) => type === 'storage' || add(type, hear); }",
  });
  await click(deaf, 'Sign in');
  await signInByTyping(deaf, { ...typedManager, isKept: true });
  await untilSignedIn(deaf);
  const tab = await browser.open(engine.web.url, { context });
  await click(tab, 'Sign out');
  await untilSignedOut(tab);

  const answers = answersOf(deaf);
  await click(deaf, 'New VIP Order');
  await deaf.locator('#sign-in-reason').getByText('Your sign-in has ended. Sign in again to go on.').waitFor();
  await signInByTyping(deaf, typedManager);
  await until('the order', () => answers.some(isPlaced));
  await context.close();
});

it('renews and ends the copies of a duplicated tab with it', async () => {
  const context = await browser.openContext();
  const tab = await browser.open(engine.web.url, { context });
  await signInAs(tab, 'Mara Manager');
  const first = await tokenOf(tab);
  const opened = context.waitForEvent('page');
  await tab.evaluate("void window.open('/')"); // has a copy of sessionStorage, as a duplicated tab has
  const copy = await opened;
  await untilLive(copy);
  expect(await buttonsOf(copy)).toEqual(managerButtons);
  await until('a new token in both', async () => {
    const [one, two] = [await tokenOf(tab), await tokenOf(copy)];
    return one === two && one !== first;
  });
  await click(copy, 'Sign out');
  await untilSignedOut(tab);
  await context.close();
});

it('kept to its content security policy and threw nothing', () => {
  expect(browser.faults).toEqual([]);
});

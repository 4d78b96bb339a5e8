import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { User } from '../src/domain/user.ts';
import { manager, samplePassword } from './support/api.ts';
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
} from './support/board-browser.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startWebProcess } from './support/engine-process.ts';
import { until } from './support/until.ts';

vi.setConfig({ testTimeout: 60_000 }); // some start two web processes, on a machine that may be busy
let engine: Engine;
let browser: BoardBrowser;
const processes: EngineProcess[] = [];

beforeAll(async () => {
  [engine, browser] = await Promise.all([startEngine('postgres', { roles: ['relay'] }), startBoardBrowser()]);
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

it('is a public board until somebody signs in', async () => {
  await engine.api.addBot();
  await engine.api.place('vip');
  const page = await browser.open(engine.web.url);
  const answers = answersOf(page);
  await page.locator('#pending-list .number').first().waitFor();
  expect(await buttonsOf(page)).toEqual(['Sign in']);
  await page.getByText('1 in all · 0 processing · 0 idle · 1 away').waitFor();
  expect(await page.locator('#bots-list li').count()).toBe(0);
  await signInAs(page, 'Nora Normal');
  await page.getByText('The bots are away. Orders wait until one of them is back.').waitFor();
  await page.getByText('Bot 1away').waitFor();
  await click(page, 'Sign out');
  expect(await buttonsOf(page)).toEqual(['Sign in']);
  await until('no bots any more', async () => (await page.locator('#bots-list li').count()) === 0);
  await until('the server was told', () => answers.includes('POST /v1/auth/logout 204'));
  expect(answers).not.toContain('GET /v1/bots 401');
  await page.close();
});

it.each([
  { name: 'Nora Normal', role: 'Normal', buttons: ['New Order', 'Sign out'], press: 'New Order', lane: 'normal' },
  { name: 'Vito Vip', role: 'VIP', buttons: ['New Order', 'Sign out'], press: 'New Order', lane: 'vip' },
  { name: 'Mara Manager', role: 'Manager', buttons: managerButtons, press: 'New VIP Order', lane: 'vip' },
  { name: 'Mara Manager', role: 'Manager', buttons: managerButtons, press: 'New Normal Order', lane: 'normal' },
  { name: 'Bo Bot', role: 'Bot', buttons: ['Sign out'], press: null, lane: null },
])('shows $name the buttons of the role $role, and $press goes to the lane $lane', async (expected) => {
  const page = await browser.open(engine.web.url);
  await signInAs(page, expected.name);
  expect(await buttonsOf(page)).toEqual(expected.buttons);
  expect(await page.getByRole('region', { name: 'Account' }).textContent()).toContain(expected.name);
  expect(await page.locator('#who-role').textContent()).toBe(expected.role);
  if (expected.press) {
    const answered = page.waitForResponse((response) => response.request().method() === 'POST');
    await click(page, expected.press);
    expect(await (await answered).json()).toMatchObject({ order: { lane: expected.lane } });
  }
  await page.close();
});

it('lets in by typing, with what password managers look for, and forgets the password', async () => {
  const page = await browser.open(engine.web.url);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Sign in' });
  await dialog.waitFor();
  expect(await page.evaluate('document.activeElement.autocomplete')).toBe('username');
  await page.keyboard.type(manager.toUpperCase());
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.autocomplete')).toBe('current-password');
  await page.keyboard.type(samplePassword);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await page.locator(':focus-visible', { hasText: /^New Normal Order$/ }).waitFor();
  expect(await page.locator('#announcements').textContent()).toBe('Signed in as Mara Manager.');
  expect(await page.getByLabel('Password').inputValue()).toBe('');
  await click(page, 'Sign out');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Sign in');
  await page.close();
});

it('says plainly what is wrong with a sign-in', async () => {
  const page = await browser.open(engine.web.url);
  const fault = page.locator('#sign-in-fault');
  await click(page, 'Sign in');
  await signInByTyping(page, { email: 'nobody@twolane.test', password: 'not this one' });
  await fault.getByText('The e-mail address or the password is wrong.').waitFor();
  expect(await page.locator(':focus').getAttribute('name')).toBe('password');
  expect(await page.locator(':focus').getAttribute('aria-invalid')).toBe('true');

  const submit = page.locator('#sign-in-submit');
  await engine.database.query("UPDATE sign_in_failures SET blocked_until = now() + interval '4 s'");
  await submit.click();
  await fault.getByText(/^There were too many tries. The next one is possible in [34] s.$/).waitFor();
  expect(await submit.textContent()).toMatch(/^Try again in [1-4] s$/);
  const answers = answersOf(page);
  await page.evaluate("document.getElementById('sign-in-submit').click()"); // counts, and does nothing
  await fault.getByText('You can try again now.').waitFor();
  expect(answers).toEqual([]);
  expect(await submit.textContent()).toBe('Sign in');

  await signInByTyping(page, typedManager);
  await untilSignedIn(page);
  expect(await buttonsOf(page)).toEqual(managerButtons);
  await page.close();
});

it('says when nobody answers a sign-in, and stays there', async () => {
  const web = await startWeb();
  const page = await browser.open(web.url);
  await click(page, 'Sign in');
  web.signal('SIGKILL');
  await web.ended;
  await signInByTyping(page, typedManager);
  await page.locator('#sign-in-fault').getByText('The server does not answer.').waitFor();
  await startWeb({ PORT: new URL(web.url).port });
  await page.locator('#sign-in-submit').click();
  await untilSignedIn(page);
  await page.close();
});

it('shows the buttons of a role that was changed meanwhile', async () => {
  const email = 'max@twolane.test';
  const { body } = await engine.api.call<{ user: User }>('POST', '/v1/admin/users', {
    headers: adminHeader,
    body: { email, displayName: 'Max', password: samplePassword, role: 'MANAGER' },
  });
  const page = await browser.open(engine.web.url);
  await click(page, 'Sign in');
  await signInByTyping(page, { email, password: samplePassword });
  await page.getByRole('button', { name: '− Bot' }).waitFor();
  await engine.api.call('PATCH', `/v1/admin/users/${body.user.id}`, { headers: adminHeader, body: { role: 'NORMAL' } });
  await click(page, '+ Bot');
  await page.getByText(/Your role does not allow this/).waitFor();
  await until('the buttons of the role', async () => (await buttonsOf(page)).includes('New Order'));
  expect(await page.locator('#who-role').textContent()).toBe('Normal');
  await page.close();
});

it('works for as long as the page is open where the browser keeps nothing', async () => {
  const refuse = (name: string) =>
    `Object.defineProperty(window, '${name}', { get() { throw new DOMException('no', 'SecurityError') } });`;
  const page = await browser.open(engine.web.url, { script: refuse('localStorage') + refuse('sessionStorage') });
  await signInAs(page, 'Vito Vip');
  const answers = answersOf(page);
  await click(page, 'New Order');
  await until('the order', () => answers.some(isPlaced));
  await page.reload();
  await untilLive(page);
  expect(await buttonsOf(page)).toEqual(['Sign in']);
  await page.close();
});

it('offers no sample accounts anywhere but in a demo', async () => {
  const web = await startWeb({ ENV: 'test' });
  const answer = await fetch(`${web.url}/assets/demo-accounts.json`);
  expect({ status: answer.status, body: await answer.json() }).toEqual({ status: 200, body: { accounts: [] } });
  const page = await browser.open(web.url);
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text())); // a browser writes a refusal there
  const asked = page.waitForResponse(/demo-accounts/);
  await click(page, 'Sign in');
  await (await asked).finished();
  expect(await buttonsOf(page)).toEqual(['Sign in', 'Cancel', 'Sign in']);
  expect(said).toEqual([]);
  await page.close();
});

it('kept to its content security policy and threw nothing', () => {
  expect(browser.faults).toEqual([]);
});

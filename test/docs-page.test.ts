import { afterAll, beforeAll, expect, it } from 'vitest';
import { vip } from './support/api.ts';
import { type BoardBrowser, startBoardBrowser } from './support/board-browser.ts';
import { type Engine, startEngine } from './support/engine.ts';

let engine: Engine;
let browser: BoardBrowser;
beforeAll(async () => {
  [engine, browser] = await Promise.all([startEngine('postgres', { roles: [] }), startBoardBrowser()]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await engine?.close();
});

it('shows the API and places an order with a token, without a request to anywhere else', async () => {
  const context = await browser.openContext();
  const page = await context.newPage();
  const asked: string[] = [];
  const failed: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('response', (response) => {
    if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(new URL('/docs', engine.web.url).href);
  await page.getByRole('heading', { name: 'twolane' }).waitFor();
  await page
    .getByPlaceholder('Token')
    .first()
    .fill(await engine.api.tokenOf(vip));
  await page.goto(new URL('/docs#tag/orders/POST/v1/orders', engine.web.url).href);
  await page.getByText('The order is durable').first().waitFor({ state: 'attached' });
  const section = page.locator('section', { hasText: 'Place an order' });
  await section.getByRole('button', { name: 'Test Request' }).first().click();
  const answer = page.waitForResponse((response) => response.url().endsWith('/v1/orders'));
  await page.getByRole('button', { name: /^Send/ }).first().click();
  expect((await answer).status()).toBe(201);
  await page.getByText('201 Created').first().waitFor();

  expect(asked.filter((url) => !url.startsWith(engine.web.url) && !url.startsWith('data:'))).toEqual([]);
  expect(failed).toEqual([]);
  expect(browser.faults).toEqual([]);
  await context.close();
});

it('fits a small screen', async () => {
  const context = await browser.openContext();
  const page = await context.newPage();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(new URL('/docs', engine.web.url).href);
  await page.getByRole('heading', { name: 'twolane' }).waitFor();
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  await context.close();
});

it('runs no script that stands in the page, and no style sheet of others', async () => {
  const { headers, body } = await engine.api.call<string>('GET', '/docs');
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/default-src 'none'; script-src 'self';/);
  expect(policy.match(/script-src[^;]*/)?.[0]).not.toMatch(/unsafe|https?:|\*/);
  expect(body).not.toMatch(/<script>|https?:/);
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { samplePassword, vip } from './support/api.ts';
import { type BoardBrowser, startBoardBrowser } from './support/board-browser.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { killAll, startWebProcess } from './support/engine-process.ts';

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
  page.on('requestfailed', (request) => failed.push(`${request.failure()?.errorText} ${request.url()}`));
  page.on('console', (message) => {
    if (message.type() === 'error') failed.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
  });
  const { status } = await engine.api.call('POST', '/v1/orders', {
    as: vip,
    headers: { 'idempotency-key': 'table-7-round-1' }, // that of the first order in the README, which has another body
    body: { items: [{ sku: 'espresso', quantity: 2 }], payment: { method: 'counter' } },
  });
  expect(status).toBe(201);
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

interface Shown {
  info: { description: string };
  paths: Record<
    string,
    Record<string, { summary: string; requestBody?: { content: Record<string, { example?: { email: string } }> } }>
  >;
}
const signInOf = ({ paths }: Shown) => paths['/v1/auth/login']?.post?.requestBody?.content['application/json']?.example;

it('signs in with what stands there in a demo, and names sample accounts nowhere else', async () => {
  const demo = await engine.api.call<Shown>('GET', '/openapi.json');
  expect(demo.body.info.description).toContain(vip);
  expect((await engine.api.call('POST', '/v1/auth/login', { body: signInOf(demo.body) })).status).toBe(200);

  const web = await startWebProcess({ ...engine.environment, ENV: 'test' });
  try {
    const text = await (await fetch(new URL('/openapi.json', web.url))).text();
    expect(text).not.toMatch(new RegExp(`twolane\\.test|${samplePassword}`));
    expect(signInOf(JSON.parse(text) as Shown)?.email).toBe('ada@example.com');
  } finally {
    await killAll([web]);
  }
});

it('has no two calls of one title', async () => {
  const { body } = await engine.api.call<Shown>('GET', '/openapi.json');
  const titles = Object.values(body.paths).flatMap((calls) => Object.values(calls).map(({ summary }) => summary));
  expect(titles.filter((title, place) => titles.indexOf(title) !== place)).toEqual([]);
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

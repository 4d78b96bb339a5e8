import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../sandbox/free-port.ts';
import { runCaptured } from '../src/cli/captured-run.ts';
import type { Order } from '../src/domain/order.ts';
import { sweepReceipts } from '../src/operations/sweep-mail.ts';
import { manager, normal, type Problem, vip } from './support/api.ts';
import { type MailEngine, startMailEngine, startPost } from './support/mail.ts';
import { startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

interface ReceiptAnswer {
  receipt: { url: string; expiresAt: string; fileName: string; madeAt: string };
}

const ask = ({ engine }: Pick<MailEngine, 'engine'>, number: number, as = normal) =>
  engine.api.call<ReceiptAnswer & Problem>('GET', `/v1/orders/${number}/receipt`, { as });
const folderOf = ({ engine }: Pick<MailEngine, 'engine'>) =>
  path.join(engine.environment.LOCAL_STORE_FOLDER ?? '', 'files');

async function capture(shop: Pick<MailEngine, 'placeOnline' | 'pay' | 'untilAt'>): Promise<Order> {
  const order = await shop.placeOnline('stripe');
  shop.pay(order);
  return shop.untilAt(order.number, 'complete', 'captured');
}

describe('the receipt of an order, made when it is asked for', () => {
  let shop: MailEngine;
  let folder: string;
  beforeAll(async () => {
    const port = await findFreePort();
    const env = { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` };
    shop = await startMailEngine('postgres', { roles: ['bots', 'payments', 'relay'], env });
    folder = await mkdtemp(path.join(tmpdir(), 'twolane-receipts-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await shop.close();
  });

  it('is one, however many ask at once, and is read by whoever has its address', async () => {
    const placed = await shop.placeOnline('stripe');
    expect(await ask(shop, placed.number)).toMatchObject({ status: 404, body: { code: 'receipt_not_found' } });
    await shop.engine.api.addBot();
    shop.pay(placed);
    await shop.untilAt(placed.number, 'complete', 'captured');
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(shop, placed.number)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => new URL(body.receipt.url).pathname)).size).toBe(1);
    const { url, fileName, expiresAt } = answers[0]?.body.receipt ?? { url: '', fileName: '', expiresAt: '' };
    expect(fileName).toBe(`receipt-${placed.number}.pdf`);
    const leftMs = Date.parse(expiresAt) - Date.now();
    expect(leftMs).toBeGreaterThan(13 * 60_000);
    expect(leftMs).toBeLessThanOrEqual(15 * 60_000);
    const file = await fetch(url);
    expect(file.headers.get('content-type')).toContain('application/pdf');
    expect((await file.text()).slice(0, 5)).toBe('%PDF-');
    const types = (await shop.engine.api.events(placed.number)).map(({ type }) => type);
    expect(types.filter((type) => type === 'receipt_made')).toHaveLength(1);
    expect((await shop.emails()).map(({ kind }) => kind)).toEqual(['receipt']);
  });

  it('is its owner’s and a manager’s, and what is paid at the counter has none', async () => {
    const { number } = await capture(shop);
    expect((await ask(shop, number, manager)).status).toBe(200);
    expect(await ask(shop, number, vip)).toMatchObject({ status: 404, body: { code: 'order_not_found' } });
    const counter = await shop.engine.api.place();
    expect(await ask(shop, counter.number)).toMatchObject({ status: 404, body: { code: 'receipt_not_found' } });
  });

  it('is shown and saved by `twolane orders receipt`', async () => {
    const { number } = await capture(shop);
    const run = (...words: string[]) =>
      runCaptured(['orders', 'receipt', ...words], {
        projectFolder: folder,
        env: { TWOLANE_URL: shop.engine.web.url, TWOLANE_CONFIG_DIR: folder },
      });
    const shown = await run(String(number));
    expect(shown).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^as manager@twolane\.test[\s\S]*works until/), // of anybody’s order
    });
    expect(shown.stdout).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/v1\/files\/receipts\/\d{4}\/\d+-[0-9a-f]{12}\.pdf\?\S+\n$/,
    );
    const file = path.join(folder, 'saved.pdf');
    expect(await run(String(number), '--out', file)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(file),
    });
    expect((await readFile(file)).subarray(0, 5).toString()).toBe('%PDF-');
    expect(await run(String(number), '--out', path.join(folder, 'nowhere', 'saved.pdf'))).toMatchObject({
      exitCode: 1,
    });
    expect(await run('999999')).toMatchObject({ exitCode: 1 });
  });

  it('is made by a sweep where its job was lost', async () => {
    const { number } = await capture(shop);
    const post = await startPost(shop.engine);
    await shop.mailOf('receipt', number);
    await shop.untilQuiet();
    await post.close();
    const lost = await capture(shop);
    await shop.engine.database.query('UPDATE event_cursors SET xid = pg_snapshot_xmax(pg_current_snapshot()), id = 0'); // passed over
    const again = await startPost(shop.engine);
    expect(await sweepReceipts(again.deps, { settledMs: 0 })).toBe(1);
    expect((await shop.mailOf('receipt', lost.number)).attachments).toHaveLength(1);
    expect(await sweepReceipts(again.deps, { settledMs: 0 })).toBe(0);
    await again.close();
  });

  it('still comes with its mail when the store has lost it, or has something else under its name, and is there again', async () => {
    const [lost, changed] = [await capture(shop), await capture(shop)];
    const opened = async (order: Order) =>
      (await (await fetch((await ask(shop, order.number)).body.receipt.url)).text()).slice(0, 5);
    const fileOf = async ({ number }: Order) => {
      const { pathname } = new URL((await ask(shop, number)).body.receipt.url);
      return path.join(folderOf(shop), pathname.replace('/v1/files/', ''));
    };
    await rm(await fileOf(lost));
    expect(await opened(lost)).toBe('%PDF-');
    await rm(await fileOf(lost));
    await writeFile(await fileOf(changed), 'no receipt');
    await shop.engine.startWorkers(['email']);
    for (const { number } of [lost, changed]) {
      const mail = await shop.mailOf('receipt', number);
      expect(mail.attachments[0]?.content.subarray(0, 5).toString()).toBe('%PDF-');
    }
    for (const order of [lost, changed]) expect(await opened(order)).toBe('%PDF-');
  });
});

describe('receipts and a store that fails', () => {
  it('wait for it, which shows, and lose nothing', async () => {
    const shop = await startMailEngine('postgres');
    await mkdir(path.dirname(folderOf(shop)), { recursive: true });
    await writeFile(folderOf(shop), 'a file where the folder should be');
    await shop.engine.api.addBot();
    const { number } = await capture(shop);
    const degraded = async () =>
      (await shop.engine.api.call<{ degraded: string[] }>('GET', '/readyz')).body.degraded.includes('files');
    await until('the fault', degraded);
    expect(await ask(shop, number)).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
    expect((await shop.emails()).some(({ kind }) => kind === 'receipt')).toBe(false);
    await rm(folderOf(shop));
    expect((await ask(shop, number)).status).toBe(200);
    expect(await degraded()).toBe(false);
    await shop.mailOf('receipt', number);
    await shop.close();
  });
});

describe('an engine without mail', () => {
  it('makes receipts, and plans no mail', async () => {
    const money = await startMoneyEngine('postgres', {
      roles: ['bots', 'payments', 'email', 'relay'],
      env: { BOT_PROCESSING_MS: '20' },
    });
    await money.engine.api.addBot();
    const { number } = await capture(money);
    await until('the receipt', async () =>
      (await money.engine.api.events(number)).some(({ type }) => type === 'receipt_made'),
    );
    expect(await money.engine.database.query('SELECT id FROM emails')).toEqual([]);
    await money.close();
  });
});

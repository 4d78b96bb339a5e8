import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manager, normal } from './support/api.ts';
import { type MailEngine, startMailEngine } from './support/mail.ts';
import { until } from './support/until.ts';

describe('who wants no more news of orders', () => {
  let shop: MailEngine;
  let link: URL;
  beforeAll(async () => {
    shop = await startMailEngine('postgres', { env: { SHOP_NAME: 'Bean & Leaf' } });
    const order = await shop.engine.api.place();
    const mail = await shop.mailOf('order_confirmed', order.number);
    const header =
      mail.headers.find(({ name }) => name === 'list-unsubscribe')?.line.replaceAll(/\r?\n\s+/g, ' ') ?? '';
    link = new URL(/<(.+)>/.exec(header)?.[1] ?? '');
    expect(mail.text).toContain(link.href.slice(0, 60));
    expect(mail.headers.find(({ name }) => name === 'list-unsubscribe-post')?.line).toContain(
      'List-Unsubscribe=One-Click',
    );
  });
  afterAll(() => shop.close());

  const ask = async (
    method: 'GET' | 'POST',
    { search = link.search, body }: { search?: string; body?: string } = {},
  ) => {
    const response = await fetch(new URL(`/v1/mail/unsubscribe${search}`, shop.engine.web.url), {
      method,
      ...(body !== undefined && { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    });
    return { status: response.status, html: await response.text(), headers: response.headers };
  };
  const stateOf = (orderNumber: number) =>
    until('told or not', async () => {
      const rows = await shop.emails();
      return rows.find(
        ({ number, kind, state }) => number === orderNumber && kind === 'order_confirmed' && state !== 'queued',
      );
    });

  it('sees a page that changes nothing, and with a press of its button gets no more', async () => {
    const page = await ask('GET');
    expect(page.status).toBe(200);
    expect(page.html).toContain('Bean &amp; Leaf');
    expect(page.html).toContain(normal);
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self'");
    expect((await stateOf((await shop.engine.api.place()).number)).state).toBe('sent'); // a program that opens links has done no harm

    expect((await ask('POST', { body: 'List-Unsubscribe=One-Click' })).html).toContain('Undo');
    const unwanted = await stateOf((await shop.engine.api.place()).number);
    expect(unwanted).toMatchObject({ state: 'suppressed', failure_code: 'opted_out', tries: 0 });
    expect(shop.kindsOf(unwanted.number)).toEqual([]);
  });

  it('is still told of money', async () => {
    await ask('POST', { body: 'List-Unsubscribe=One-Click' });
    await shop.engine.api.addBot();
    const order = await shop.placeOnline('stripe');
    shop.pay(order);
    await shop.untilAt(order.number, 'complete', 'captured');
    await shop.mailOf('receipt', order.number);
    await shop.engine.api.call('POST', `/v1/orders/${order.number}/refunds`, { as: manager, body: {} });
    const refund = await shop.mailOf('order_refunded', order.number);
    expect(refund.headers.some(({ name }) => name === 'list-unsubscribe')).toBe(false);
    await shop.untilQuiet();
    expect(shop.kindsOf(order.number)).toEqual(['order_refunded', 'receipt']);
  });

  it('may change their mind', async () => {
    await ask('POST', { body: 'action=stop' });
    expect((await ask('POST', { body: 'action=resume' })).html).toContain('Welcome back');
    expect((await stateOf((await shop.engine.api.place()).number)).state).toBe('sent');
  });

  it('cannot be somebody else: a changed link does nothing', async () => {
    const other = new URL(link);
    other.searchParams.set('address', 'vip@twolane.test');
    const forged = [other.search, link.search.slice(0, -1), `?address=${normal}`, '?address=&signature=', ''];
    for (const search of forged)
      for (const method of ['GET', 'POST'] as const)
        expect([search, (await ask(method, { search })).status]).toEqual([search, 403]);
    const optOuts = await shop.engine.database.query('SELECT address FROM email_opt_outs');
    expect(optOuts).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeskPayment, openPaymentDesk, type PaymentDesk, price } from '../../test/support/payment-desk.ts';
import { paymentProviders } from '../domain/payment.ts';
import { type ProviderMovement, SignatureInvalidError } from './payment-gateway.ts';

/** What the providers tell by themselves, and what they have in their books. */
let desk: PaymentDesk;
beforeAll(async () => {
  desk = await openPaymentDesk();
});
afterAll(() => desk.close());

async function deliveriesOf(payment: DeskPayment) {
  await desk.sandbox.webhooks.idle();
  const ids = Object.values(payment.references).filter((id) => id !== null);
  return desk.deliveries.filter(({ rawBody }) => [payment.paymentId, ...ids].some((id) => rawBody.includes(id)));
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe.each(paymentProviders)('events of %s', (provider) => {
  it('say whose payment they are about, where to look, and what was agreed', async () => {
    const payment = desk.newPayment(provider);
    await payment.holdAndCapture();
    await payment.refund('refund', 300);
    const deliveries = await deliveriesOf(payment);
    const events = await Promise.all(
      deliveries.map(({ rawBody, headers }) => payment.gateway.readEvent(rawBody, headers)),
    );
    expect(new Set(events.map(({ id }) => id)).size).toBe(deliveries.length);
    const { checkout, authorisation, capture } = payment.references;
    const references = events.flatMap((event) => event.references);
    expect(references).toEqual(expect.arrayContaining([checkout, authorisation, capture]));
    const known = new Set([checkout, authorisation, capture]);
    for (const event of events) {
      expect(Math.abs(Date.now() - +event.occurredAt)).toBeLessThan(60_000);
      const isOurs = event.paymentId === payment.paymentId || event.references.some((id) => known.has(id));
      expect(isOurs, event.type).toBe(true);
    }
    const agreed = events.flatMap(({ amount }) => amount ?? []);
    expect(agreed.length).toBeGreaterThanOrEqual(1);
    for (const amount of agreed) expect(amount).toEqual(price);
  });

  it('are refused forged, serialised anew, cut, or without their headers', async () => {
    const payment = desk.newPayment(provider);
    await payment.hold();
    const [delivery] = await deliveriesOf(payment);
    const { rawBody, headers } = delivery ?? expect.fail('no event came');
    const text = rawBody.toString();
    expect((await payment.gateway.readEvent(rawBody, headers)).paymentId).toBe(payment.paymentId);
    const anew = JSON.stringify(JSON.parse(text), null, text.includes('\n') ? 0 : 2);
    const forged = text.replaceAll(payment.paymentId, 'payment-of-another');
    for (const body of [forged, anew, `${text} `, text.slice(0, -1), '']) {
      await expect(payment.gateway.readEvent(Buffer.from(body), headers)).rejects.toBeInstanceOf(SignatureInvalidError);
    }
    await expect(payment.gateway.readEvent(rawBody, {})).rejects.toBeInstanceOf(SignatureInvalidError);
    const others = desk.deliveries.find((other) => other.provider !== provider);
    if (others)
      await expect(payment.gateway.readEvent(rawBody, others.headers)).rejects.toBeInstanceOf(SignatureInvalidError);
  });
});

it('PayPal’s are found good and bad by asking it, too', async () => {
  const payment = desk.newPayment('paypal');
  await payment.hold();
  const [delivery] = await deliveriesOf(payment);
  const { rawBody, headers } = delivery ?? expect.fail('no event came');
  expect(await desk.payPalByPostback.readEvent(rawBody, headers)).toEqual(
    await payment.gateway.readEvent(rawBody, headers),
  );
  const forged = Buffer.from(rawBody.toString().replaceAll(payment.paymentId, 'payment-of-another'));
  await expect(desk.payPalByPostback.readEvent(forged, headers)).rejects.toBeInstanceOf(SignatureInvalidError);
});

it('Stripe’s that were lost are listed, every one, oldest first', async () => {
  const since = new Date(Date.now() - 1_000);
  const { sandbox, gateways } = desk;
  await sandbox.webhooks.idle();
  sandbox.faults.add({ provider: 'stripe', webhook: 'any', kind: 'lost', times: 10_000 });
  const payment = desk.newPayment('stripe');
  await payment.holdAndCapture();
  for (let count = 0; count < 60; count++) await payment.refund(`refund-${count}`, 10);
  sandbox.faults.clear();
  const lost = sandbox.webhooks.events('stripe').filter(({ state }) => state === 'undelivered');
  expect(lost.length).toBeGreaterThan(100); // more than a page
  const listMissed = gateways.stripe.listMissedEvents ?? expect.fail('there is no list');
  const missed = await collect(listMissed(since));
  expect(missed.map(({ event }) => event.id)).toEqual(lost.map(({ id }) => id));
  const [first] = missed;
  expect(JSON.parse(first?.rawBody ?? '')).toEqual(JSON.parse(lost[0]?.body ?? ''));
  expect(await collect(listMissed(new Date(Date.now() + 60_000)))).toEqual([]);
  expect(gateways.paypal.listMissedEvents).toBeNull();
});

it.each(paymentProviders)('the movements of %s add up to what the payments came to', async (provider) => {
  const payment = desk.newPayment(provider);
  await payment.holdAndCapture();
  await payment.refund('first', 300);
  await payment.refund('second', 200);
  const partly = desk.newPayment(provider, { amountMinor: 900, currency: 'USD' });
  await partly.hold();
  await partly.capture({ amountMinor: 500 });
  await partly.read();
  await desk.newPayment(provider).hold(); // which moves nothing
  const yen = desk.newPayment(provider, { amountMinor: 1_000, currency: 'JPY' });
  await yen.holdAndCapture();

  const now = Date.now();
  const movements = await collect(payment.gateway.listMovements(new Date(now - 60_000), new Date(now + 60_000)));
  const entries = desk.sandbox.ledger
    .entries({ provider })
    .filter(({ kind }) => kind === 'captured' || kind === 'refunded')
    .map(({ kind, reference, amountMinor, currency }) => [
      kind === 'captured' ? 'capture' : 'refund',
      reference,
      amountMinor,
      currency,
    ]);
  const listed = movements.map(({ kind, reference, amount }) => [kind, reference, amount.amountMinor, amount.currency]);
  expect(listed.toSorted()).toEqual(entries.toSorted());

  const of = (wanted: string | null): Partial<ProviderMovement> =>
    movements.find(({ reference }) => reference === wanted) ?? {};
  expect(of(payment.references.capture)).toMatchObject({ paymentId: payment.paymentId, amount: price });
  for (const { reference } of payment.effects('refunded')) {
    const { authorisation, capture } = payment.references;
    expect(of(reference).relatedReference).toBe(provider === 'stripe' ? authorisation : capture);
  }
  expect(await collect(payment.gateway.listMovements(new Date(now + 60_000), new Date(now + 120_000)))).toEqual([]);
});

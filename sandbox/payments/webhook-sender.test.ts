import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SandboxFaults } from './faults.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { type PaymentSandbox, startPaymentSandbox } from './payment-sandbox.ts';
import { SandboxClock } from './sandbox-clock.ts';
import { SandboxStore } from './sandbox-store.ts';
import { openStripeShop, type StripeShop } from './stripe/stripe-shop.ts';
import { WebhookReceiver } from './webhook-receiver.ts';
import { WebhookSender } from './webhook-sender.ts';

const ofAPayment = [
  'payment_intent.created',
  'charge.succeeded',
  'payment_intent.amount_capturable_updated',
  'checkout.session.completed',
];

let sandbox: PaymentSandbox;
let shop: StripeShop;
let receiver: WebhookReceiver;
beforeEach(async () => {
  receiver = new WebhookReceiver();
  const url = await receiver.listen();
  sandbox = await startPaymentSandbox({
    webhookUrls: { stripe: `${url}/hooks/stripe`, paypal: `${url}/hooks/paypal` },
  });
  shop = openStripeShop(sandbox);
});
afterEach(async () => {
  await sandbox.close();
  await receiver.close();
});

const states = () => new Set(sandbox.webhooks.events().map(({ state }) => state));

describe('events of Stripe', () => {
  it('arrive once each, signed so that its own library believes them', async () => {
    await shop.hold();
    await sandbox.webhooks.idle();
    expect(receiver.types().toSorted()).toEqual(ofAPayment.toSorted());
    const secret = sandbox.settings.STRIPE_WEBHOOK_SECRET ?? '';
    for (const { path, headers, body } of receiver.received) {
      expect(path).toBe('/hooks/stripe');
      const event = shop.stripe.webhooks.constructEvent(body, headers['stripe-signature'] ?? '', secret);
      expect(event).toMatchObject({ object: 'event', livemode: false, api_version: '2026-10-28.endive' });
      expect(() =>
        shop.stripe.webhooks.constructEvent(`${body} `, headers['stripe-signature'] ?? '', secret),
      ).toThrow();
      expect(() => shop.stripe.webhooks.constructEvent(body, headers['stripe-signature'] ?? '', 'whsec_x')).toThrow();
    }
    expect(states()).toEqual(new Set(['delivered']));
    expect((await shop.stripe.events.list({ delivery_success: false })).data).toEqual([]);
  });

  it('name the request that made them, or none when it was the customer', async () => {
    const intent = await shop.hold();
    await shop.stripe.paymentIntents.capture(intent.id, {}, { idempotencyKey: 'named' });
    await sandbox.webhooks.idle();
    const byType = new Map(
      receiver.received.map(({ body }) => [JSON.parse(body.toString()).type, JSON.parse(body.toString())]),
    );
    expect(byType.get('payment_intent.succeeded').request).toEqual({
      id: expect.stringMatching(/^req_/),
      idempotency_key: 'named',
    });
    expect(byType.get('checkout.session.completed').request).toEqual({ id: null, idempotency_key: null });
  });

  it('come again where they were not taken', async () => {
    receiver.answers.push(500, 404);
    await shop.hold();
    await sandbox.webhooks.idle();
    expect(receiver.received).toHaveLength(6);
    expect(new Set(receiver.types())).toEqual(new Set(ofAPayment));
    expect(states()).toEqual(new Set(['delivered']));
  });

  it('are doubled, delayed and lost by script', async () => {
    sandbox.faults.add({ webhook: 'payment_intent.created', kind: 'doubled' });
    sandbox.faults.add({ webhook: 'charge.succeeded', kind: 'lost' });
    sandbox.faults.add({ webhook: 'payment_intent.amount_capturable_updated', kind: 'delayed', delayMs: 200 });
    await shop.hold();
    await sandbox.webhooks.idle();
    const types = receiver.types();
    expect(types.filter((type) => type === 'payment_intent.created')).toHaveLength(2);
    expect(types.at(-1)).toBe('payment_intent.amount_capturable_updated');
    expect(types).not.toContain('charge.succeeded');
    const { data } = await shop.stripe.events.list({ delivery_success: false });
    expect(data.map(({ type }) => type)).toEqual(['charge.succeeded']);
  });

  it('overtake one that is held back, which comes all the same', async () => {
    sandbox.faults.add({ webhook: 'payment_intent.created', kind: 'reordered' });
    await shop.hold();
    const sentAt = Date.now();
    await receiver.have(4);
    expect(Date.now() - sentAt).toBeLessThan(1_000); // let go by the next one, not by the time
    expect(receiver.types()[0]).toBe('charge.succeeded');
    expect(new Set(receiver.types())).toEqual(new Set(ofAPayment));
  });

  it('come after a while where nothing overtakes them', async () => {
    sandbox.faults.add({ webhook: 'checkout.session.expired', kind: 'reordered' });
    const { id } = await shop.checkout();
    await shop.stripe.checkout.sessions.expire(id);
    await receiver.have(1);
    expect(receiver.types()).toEqual(['checkout.session.expired']);
  });

  it('are not delivered to nobody, and listed as such', async () => {
    const alone = await startPaymentSandbox();
    const other = openStripeShop(alone);
    await other.hold();
    expect((await other.stripe.events.list({ delivery_success: false })).data).toHaveLength(4);
    await alone.close();
  });

  it('are sent once more when it is asked for', async () => {
    await shop.hold();
    await sandbox.webhooks.idle();
    const [first] = sandbox.webhooks.events();
    const answer = await fetch(`${sandbox.url}/sandbox/events/${first?.id}/redeliver`, { method: 'POST' });
    expect(answer.status).toBe(202);
    await receiver.have(5);
    expect(receiver.types().filter((type) => type === first?.type)).toHaveLength(2);
  });
});

it('gives an event up after its last try, but never one that was taken before', async () => {
  const refusing = new WebhookReceiver();
  const store = new SandboxStore();
  const clock = new SandboxClock();
  const faults = new SandboxFaults(new IdempotencyKeys(clock, store));
  const sender = new WebhookSender({ clock, store, faults, log: () => {}, repeatAfterMs: [1, 1] });
  sender.signWith('stripe', () => ({}));
  sender.sendTo({ stripe: await refusing.listen() });
  refusing.answers.push(200, ...Array.from({ length: 6 }, () => 500));
  const send = (id: string) => sender.send({ id, provider: 'stripe', type: 'x', orderNumber: null, body: '{}' });
  send('taken');
  await sender.idle();
  sender.redeliver('taken');
  await sender.idle();
  send('refused');
  await sender.idle();
  expect(refusing.received).toHaveLength(7);
  expect(sender.events().map(({ id, state, attempts }) => [id, state, attempts])).toEqual([
    ['taken', 'delivered', 4],
    ['refused', 'undelivered', 3],
  ]);
  sender.close();
  await refusing.close();
});

it('goes wrong with events in the same way for the same seed', async () => {
  const run = async () => {
    const one = await startPaymentSandbox({ webhookUrls: { stripe: `${await other.listen()}/` } });
    one.faults.storm({ seed: 'events', rate: 0, webhookRate: 0.5, webhookKinds: ['lost', 'doubled'] });
    const quiet = openStripeShop(one);
    for (const orderNumber of [1, 2, 3, 4]) await quiet.hold({ orderNumber });
    await one.webhooks.idle();
    await one.close();
    return [one.faults.met().filter(({ provider }) => provider === 'stripe'), other.received.length];
  };
  let other = new WebhookReceiver();
  const [met, received] = await run();
  await other.close();
  other = new WebhookReceiver();
  expect(await run()).toEqual([met, received]);
  await other.close();
  expect(met).not.toEqual([]);
});

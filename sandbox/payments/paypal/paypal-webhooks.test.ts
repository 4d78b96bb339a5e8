import { createVerify, randomUUID, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { CheckoutPaymentIntent } from '@paypal/paypal-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from '../payment-sandbox.ts';
import { openPayPalSdk, type PayPalSdk } from './paypal-sdk.ts';

interface Delivery {
  headers: IncomingHttpHeaders;
  body: string;
}

const prefer = 'return=representation';
const deliveries: Delivery[] = [];
const shop = createServer((request, response) => {
  void text(request).then((body) => {
    deliveries.push({ headers: request.headers, body });
    response.end();
  });
});
let sandbox: PaymentSandbox;
let sdk: PayPalSdk;

beforeAll(async () => {
  shop.listen(0, '127.0.0.1');
  await once(shop, 'listening');
  const { port } = shop.address() as AddressInfo;
  sandbox = await startPaymentSandbox({ webhookUrls: { paypal: `http://127.0.0.1:${port}/` } });
  sdk = openPayPalSdk(sandbox.settings);
});
afterAll(async () => {
  await sandbox.close();
  shop.close();
});

/** An order from its beginning to its refund. */
async function wholeStory() {
  deliveries.length = 0;
  const paymentId = randomUUID();
  const unit = { customId: paymentId, description: 'Order 31', amount: { currencyCode: 'HUF', value: '4990' } };
  const body = { intent: CheckoutPaymentIntent.Authorize, purchaseUnits: [unit] };
  const id = (await sdk.orders.createOrder({ body })).result.id ?? '';
  sandbox.pay(id);
  const order = (await sdk.orders.authorizeOrder({ id, prefer })).result;
  const authorizationId = order.purchaseUnits?.[0]?.payments?.authorizations?.[0]?.id ?? '';
  const captureId = (await sdk.payments.captureAuthorizedPayment({ authorizationId })).result.id ?? '';
  const refundBody = { customId: 'operation-9' };
  const refundId = (await sdk.payments.refundCapturedPayment({ captureId, body: refundBody })).result.id ?? '';
  await sandbox.webhooks.idle();
  return { id, paymentId, authorizationId, captureId, refundId };
}

function signedText({ headers, body }: Delivery, webhookId = sandbox.settings.PAYPAL_WEBHOOK_ID): string {
  return `${headers['paypal-transmission-id']}|${headers['paypal-transmission-time']}|${webhookId}|${crc32(body)}`;
}

async function isProven(delivery: Delivery): Promise<boolean> {
  const certificate = await fetch(String(delivery.headers['paypal-cert-url']));
  const { publicKey } = new X509Certificate(await certificate.text());
  const signature = String(delivery.headers['paypal-transmission-sig']);
  return createVerify('RSA-SHA256').update(signedText(delivery)).verify(publicKey, signature, 'base64');
}

async function askPayPal({ headers }: Delivery, rawEvent: string, changes: Record<string, string> = {}) {
  const named = {
    auth_algo: headers['paypal-auth-algo'],
    cert_url: headers['paypal-cert-url'],
    transmission_id: headers['paypal-transmission-id'],
    transmission_sig: headers['paypal-transmission-sig'],
    transmission_time: headers['paypal-transmission-time'],
    webhook_id: sandbox.settings.PAYPAL_WEBHOOK_ID,
    ...changes,
  };
  const body = `${JSON.stringify(named).slice(0, -1)}, "webhook_event": ${rawEvent}}`;
  const response = await sdk.fetch('/v1/notifications/verify-webhook-signature', { method: 'POST', body });
  return ((await response.json()) as { verification_status: string }).verification_status;
}

describe('the events of a payment', () => {
  it('name their object, and ours', async () => {
    const { id, paymentId, authorizationId, captureId, refundId } = await wholeStory();
    const events = deliveries.map(({ body }) => JSON.parse(body));
    const byType = new Map(events.map((event) => [event.event_type, event]));
    expect([...byType.keys()].sort()).toEqual([
      'CHECKOUT.ORDER.APPROVED',
      'PAYMENT.AUTHORIZATION.CREATED',
      'PAYMENT.CAPTURE.COMPLETED',
      'PAYMENT.CAPTURE.REFUNDED',
    ]);
    const amount = { currency_code: 'HUF', value: '4990' };
    expect(byType.get('CHECKOUT.ORDER.APPROVED')).toMatchObject({
      id: expect.stringMatching(/^WH-\w{17}-\w{17}$/),
      resource_type: 'checkout-order',
      resource: { id, status: 'APPROVED', purchase_units: [{ custom_id: paymentId, amount }] },
    });
    const authorisation = { id: authorizationId, status: 'CREATED', custom_id: paymentId, amount };
    expect(byType.get('PAYMENT.AUTHORIZATION.CREATED')).toMatchObject({
      resource_type: 'authorization',
      resource: { ...authorisation, supplementary_data: { related_ids: { order_id: id } } },
    });
    expect(byType.get('PAYMENT.CAPTURE.COMPLETED')).toMatchObject({
      resource_type: 'capture',
      resource: { id: captureId, status: 'COMPLETED', custom_id: paymentId, amount },
    });
    const refund = byType.get('PAYMENT.CAPTURE.REFUNDED');
    expect(refund).toMatchObject({
      resource_type: 'refund',
      resource: { id: refundId, custom_id: 'operation-9', amount },
    });
    const up = refund.resource.links.find(({ rel }: { rel: string }) => rel === 'up');
    expect(up.href).toMatch(new RegExp(`/v2/payments/captures/${captureId}$`));
    expect(new Set(events.map((event) => event.id)).size).toBe(4);
    expect(sandbox.ledger.entries({ paymentId }).map(({ amountMinor }) => amountMinor)).toEqual([
      499_000, 499_000, 499_000,
    ]);
  });
});

describe('a signature', () => {
  it('is good over the very bytes, and over no others', async () => {
    await wholeStory();
    const [delivery] = deliveries;
    if (!delivery) throw new Error('nothing was delivered');
    expect(await isProven(delivery)).toBe(true);
    expect(await isProven({ ...delivery, body: `${delivery.body} ` })).toBe(false);
    expect(Math.abs(Date.now() - Date.parse(String(delivery.headers['paypal-transmission-time'])))).toBeLessThan(
      60_000,
    );
  });

  it('is judged by PayPal too', async () => {
    await wholeStory();
    const [delivery, other] = deliveries;
    if (!delivery || !other) throw new Error('nothing was delivered');
    expect(await askPayPal(delivery, delivery.body)).toBe('SUCCESS');
    expect(await askPayPal(delivery, JSON.stringify(JSON.parse(delivery.body), null, 1))).toBe('FAILURE');
    expect(await askPayPal(delivery, other.body)).toBe('FAILURE');
    expect(await askPayPal(delivery, delivery.body, { webhook_id: 'WH-ANOTHER' })).toBe('FAILURE');
    expect(await askPayPal(delivery, delivery.body, { cert_url: 'https://example.com/cert' })).toBe('FAILURE');
    expect(await askPayPal(delivery, delivery.body, { auth_algo: 'SHA1withRSA' })).toBe('FAILURE');
    const bare = await sdk.fetch('/v1/notifications/verify-webhook-signature', { method: 'POST', body: '{}' });
    expect(bare.status).toBe(400);
  });

  it('comes with another certificate when there is a new one, while the old one can still be had', async () => {
    await wholeStory();
    const before = deliveries[0];
    await fetch(`${sandbox.url}/sandbox/paypal/certificates`, { method: 'POST' });
    await wholeStory();
    const after = deliveries[0];
    if (!before || !after) throw new Error('nothing was delivered');
    expect(after.headers['paypal-cert-url']).not.toBe(before.headers['paypal-cert-url']);
    expect(await isProven(after)).toBe(true);
    expect(await isProven(before)).toBe(true);
    expect((await fetch(`${sandbox.url}/v1/notifications/certs/CERT-none`)).status).toBe(404);
  });
});

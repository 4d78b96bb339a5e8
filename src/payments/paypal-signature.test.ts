import { createSign } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWireServer, type WireServer } from '../../test/support/wire-server.ts';
import { type PaymentGateway, ProviderError, SignatureInvalidError } from './payment-gateway.ts';
import { createPayPalGateway, type PayPalSettings } from './paypal-gateway.ts';

interface KeyPair {
  cert: string;
  private: string;
}

const webhookId = 'WH-OUR-OWN';
const day = 86_400_000;
const event = {
  id: 'WH-58D329510W468432D-8HN650336L201105X',
  create_time: '2026-11-20T21:50:07.940Z',
  resource_type: 'authorization',
  event_type: 'PAYMENT.AUTHORIZATION.CREATED',
  summary: 'Überweisung über 12,50 €',
  resource: {
    id: '5DX15416WN736663A',
    status: 'CREATED',
    amount: { currency_code: 'EUR', value: '12.50' },
    custom_id: 'payment-1',
    supplementary_data: { related_ids: { order_id: '05X27227LE564313V' } },
    links: [{ rel: 'up', href: 'https://api.paypal.com/v2/checkout/orders/05X27227LE564313V', method: 'GET' }],
  },
};
// As PayPal writes it is not as JSON.stringify does.
const rawBody = Buffer.from(JSON.stringify(event, null, 1).replaceAll('": ', '" : '));

let ours: KeyPair;
let theirs: KeyPair;
let server: WireServer;
let elsewhere: WireServer;
let gateway: PaymentGateway;
let certificates: Map<string, string>;

function keyPair(from = Date.now() - day, to = Date.now() + day): Promise<KeyPair> {
  const attributes = [{ name: 'commonName', value: 'messageverificationcerts.paypal.com' }];
  return generate(attributes, { keySize: 2048, notBeforeDate: new Date(from), notAfterDate: new Date(to) });
}

function createGateway(settings: Partial<PayPalSettings> = {}): PaymentGateway {
  return createPayPalGateway({
    clientId: 'client',
    clientSecret: 'very-secret',
    webhookId,
    environment: 'sandbox',
    apiBase: server.url,
    verify: 'offline',
    timeoutMs: 2_000,
    ...settings,
  });
}

function signed(body: Buffer, changed: IncomingHttpHeaders = {}, key = ours.private, forWebhook = webhookId) {
  const id = '103e3700-8b0c-11e6-8695-6b62a8a99ac4';
  const time = '2026-11-20T21:50:09Z';
  const message = `${id}|${time}|${forWebhook}|${crc32(body)}`;
  return {
    'paypal-transmission-id': id,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': createSign('RSA-SHA256').update(message).sign(key, 'base64'),
    'paypal-cert-url': `${server.url}/v1/notifications/certs/CERT-1`,
    'paypal-auth-algo': 'SHA256withRSA',
    ...changed,
  };
}

function tokenOrNotFound({ path }: { path: string }) {
  if (path === '/v1/oauth2/token')
    return { body: { access_token: 'token-1', token_type: 'Bearer', expires_in: 32_400 } };
  return { status: 404 };
}

beforeAll(async () => {
  [ours, theirs] = await Promise.all([keyPair(), keyPair()]);
});

beforeEach(async () => {
  certificates = new Map([['/v1/notifications/certs/CERT-1', ours.cert]]);
  server = await startWireServer((request) => {
    const certificate = certificates.get(request.path);
    return certificate === undefined ? tokenOrNotFound(request) : { body: certificate };
  });
  elsewhere = await startWireServer(() => ({ body: theirs.cert }));
  gateway = createGateway();
});

afterEach(async () => {
  await Promise.all([server.close(), elsewhere.close()]);
});

describe('a webhook, verified by its certificate', () => {
  it('is read when the signature over its bytes is good', async () => {
    await expect(gateway.readEvent(rawBody, signed(rawBody))).resolves.toEqual({
      id: event.id,
      type: 'PAYMENT.AUTHORIZATION.CREATED',
      occurredAt: new Date('2026-11-20T21:50:07.940Z'),
      paymentId: 'payment-1',
      references: ['5DX15416WN736663A', '05X27227LE564313V'],
      amount: { amountMinor: 1250, currency: 'EUR' },
    });
  });

  it('is refused when its bytes are others, if only in their spaces', async () => {
    const again = Buffer.from(JSON.stringify(JSON.parse(rawBody.toString())));
    await expect(gateway.readEvent(again, signed(rawBody))).rejects.toThrow(SignatureInvalidError);
  });

  it('is refused when it was signed for another webhook', async () => {
    const headers = signed(rawBody, {}, ours.private, 'WH-SOMEBODY-ELSES');
    await expect(gateway.readEvent(rawBody, headers)).rejects.toThrow(SignatureInvalidError);
  });

  it('is refused when another key has signed it', async () => {
    await expect(gateway.readEvent(rawBody, signed(rawBody, {}, theirs.private))).rejects.toThrow(
      SignatureInvalidError,
    );
  });

  it.each([
    ['paypal-transmission-id', 'another'],
    ['paypal-transmission-time', '2026-11-20T22:50:09Z'],
    ['paypal-transmission-sig', 'bm90IGEgc2lnbmF0dXJl'],
    ['paypal-transmission-sig', '%%%'],
    ['paypal-auth-algo', 'SHA1withRSA'],
    ['paypal-auth-algo', 'none'],
  ])('is refused with %s: %s', async (header, value) => {
    await expect(gateway.readEvent(rawBody, signed(rawBody, { [header]: value }))).rejects.toThrow(
      SignatureInvalidError,
    );
  });

  it.each(['paypal-transmission-id', 'paypal-transmission-time', 'paypal-transmission-sig'])(
    'is refused without %s',
    async (header) => {
      await expect(gateway.readEvent(rawBody, signed(rawBody, { [header]: undefined }))).rejects.toThrow(header);
    },
  );

  it.each(['paypal-cert-url', 'paypal-auth-algo'])('is refused without %s', async (header) => {
    await expect(gateway.readEvent(rawBody, signed(rawBody, { [header]: '' }))).rejects.toThrow(header);
    expect(server.requests).toEqual([]);
  });

  it('is refused when what is signed is no event', async () => {
    for (const text of ['no JSON', '[]', '{"id":"WH-1"}']) {
      const body = Buffer.from(text);
      await expect(gateway.readEvent(body, signed(body))).rejects.toThrow(SignatureInvalidError);
    }
  });
});

describe('the certificate', () => {
  it.each([
    'http://api.paypal.com/v1/notifications/certs/CERT-1',
    'https://api.paypal.com.example.org/cert',
    'https://notpaypal.com/cert',
    'https://paypal.com.example.org/cert',
    'https://somebody@api.paypal.com/cert',
    'https://api.paypal.com@example.org/cert',
    'https://api.paypal.com:8443/cert',
    'https://api.paypal.com./cert',
    'https://api.paypal.com/cert?number=2',
    'https://example.org/api.paypal.com',
    'https://example.org#.paypal.com',
    'https://example.org\\.paypal.com',
    'file:///etc/ssl/certs/ca.pem',
    'data:text/plain,certificate',
    '//api.paypal.com/cert',
    'CERT-1',
  ])('is not asked for at %s', async (address) => {
    // Whatever had been asked there and failed would be a ProviderError.
    await expect(gateway.readEvent(rawBody, signed(rawBody, { 'paypal-cert-url': address }))).rejects.toThrow(
      SignatureInvalidError,
    );
  });

  it('is not asked for at an origin that only looks like that of the API', async () => {
    const headers = signed(rawBody, { 'paypal-cert-url': `${elsewhere.url}/cert` }, theirs.private);
    await expect(gateway.readEvent(rawBody, headers)).rejects.toThrow(SignatureInvalidError);
    const withUser = `${elsewhere.url.replace('http://', `http://${new URL(server.url).host}@`)}/cert`;
    await expect(gateway.readEvent(rawBody, signed(rawBody, { 'paypal-cert-url': withUser }))).rejects.toThrow(
      SignatureInvalidError,
    );
    expect(elsewhere.requests).toEqual([]);
  });

  it('comes from PayPal alone where the API is PayPal’s own', async () => {
    const production = createGateway({ apiBase: null });
    await expect(production.readEvent(rawBody, signed(rawBody))).rejects.toThrow(SignatureInvalidError);
    expect(server.requests).toEqual([]);
  });

  it('is not fetched from where a redirect leads', async () => {
    server.answer = () => ({ status: 302, headers: { location: `${elsewhere.url}/cert` } });
    await expect(gateway.readEvent(rawBody, signed(rawBody, {}, theirs.private))).rejects.toMatchObject({
      name: 'ProviderError',
      kind: 'unknown',
    });
    expect(elsewhere.requests).toEqual([]);
  });

  it.each([
    ['is not there', () => ({ status: 500 })],
    ['is none', () => ({ body: 'certainly not' })],
    ['is a megabyte', () => ({ body: ours.cert + ' '.repeat(1_000_000) })],
    ['breaks off', () => 'reset' as const],
  ])('is tried anew when it %s', async (_, answer) => {
    const healthy = server.answer;
    server.answer = answer;
    await expect(gateway.readEvent(rawBody, signed(rawBody))).rejects.toMatchObject({ kind: 'unknown' });
    server.answer = healthy;
    await expect(gateway.readEvent(rawBody, signed(rawBody))).resolves.toMatchObject({ id: event.id });
  });

  it('is not waited for longer than the time-out', async () => {
    server.answer = () => 'hang';
    const impatient = createGateway({ timeoutMs: 50 });
    await expect(impatient.readEvent(rawBody, signed(rawBody))).rejects.toMatchObject({ kind: 'unknown' });
  });

  it('is refused before and after its time', async () => {
    const [early, late] = await Promise.all([
      keyPair(Date.now() + day, Date.now() + 2 * day),
      keyPair(Date.now() - 2 * day, Date.now() - day),
    ]);
    certificates.set('/early', early.cert).set('/late', late.cert);
    for (const [path, key] of [
      ['/early', early.private],
      ['/late', late.private],
    ] as const) {
      const headers = signed(rawBody, { 'paypal-cert-url': `${server.url}${path}` }, key);
      await expect(gateway.readEvent(rawBody, headers)).rejects.toThrow(SignatureInvalidError);
    }
  });

  it('is fetched once for many events, and a new one beside it', async () => {
    certificates.set('/v1/notifications/certs/CERT-2', theirs.cert);
    await Promise.all(Array.from({ length: 20 }, () => gateway.readEvent(rawBody, signed(rawBody))));
    await gateway.readEvent(rawBody, signed(rawBody));
    expect(server.requests).toHaveLength(1);
    const renewed = { 'paypal-cert-url': `${server.url}/v1/notifications/certs/CERT-2` };
    await gateway.readEvent(rawBody, signed(rawBody, renewed, theirs.private));
    expect(server.requests.map(({ path }) => path)).toEqual([...certificates.keys()]);
  });

  it('is one of a few that are asked for at once', async () => {
    server.answer = () => 'hang';
    const patient = createGateway({ timeoutMs: 300 });
    const events = Array.from({ length: 30 }, (_, number) =>
      patient.readEvent(rawBody, signed(rawBody, { 'paypal-cert-url': `${server.url}/${number}` })),
    );
    const outcomes = await Promise.allSettled(events);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(server.requests).toHaveLength(8);
  });

  it('is kept with a few others only', async () => {
    for (let number = 1; number <= 20; number++) {
      certificates.set(`/${number}`, ours.cert);
      await gateway.readEvent(rawBody, signed(rawBody, { 'paypal-cert-url': `${server.url}/${number}` }));
    }
    await gateway.readEvent(rawBody, signed(rawBody, { 'paypal-cert-url': `${server.url}/20` }));
    expect(server.requests).toHaveLength(20);
    await gateway.readEvent(rawBody, signed(rawBody, { 'paypal-cert-url': `${server.url}/1` }));
    expect(server.requests).toHaveLength(21);
  });
});

describe('a webhook, verified by PayPal', () => {
  const verifying = '/v1/notifications/verify-webhook-signature';

  beforeEach(() => {
    gateway = createGateway({ verify: 'postback' });
    server.answer = (request) =>
      request.path === verifying ? { body: { verification_status: 'SUCCESS' } } : tokenOrNotFound(request);
  });

  it('is sent there byte by byte as it came', async () => {
    await expect(gateway.readEvent(rawBody, signed(rawBody))).resolves.toMatchObject({ id: event.id });
    const asked = server.requests.find(({ path }) => path === verifying);
    expect(asked?.headers).toMatchObject({ authorization: 'Bearer token-1', 'content-type': 'application/json' });
    expect(asked?.body.includes(rawBody)).toBe(true);
    expect(JSON.parse(asked?.body.toString() ?? '')).toEqual({
      auth_algo: 'SHA256withRSA',
      cert_url: `${server.url}/v1/notifications/certs/CERT-1`,
      transmission_id: '103e3700-8b0c-11e6-8695-6b62a8a99ac4',
      transmission_sig: signed(rawBody)['paypal-transmission-sig'],
      transmission_time: '2026-11-20T21:50:09Z',
      webhook_id: webhookId,
      webhook_event: event,
    });
  });

  it('is refused when PayPal says no', async () => {
    server.answer = (request) =>
      request.path === verifying ? { body: { verification_status: 'FAILURE' } } : tokenOrNotFound(request);
    await expect(gateway.readEvent(rawBody, signed(rawBody))).rejects.toThrow(SignatureInvalidError);
  });

  it('cannot name another webhook id beside the event', async () => {
    for (const body of [Buffer.from('{"id":"WH-1"},"webhook_id":"WH-MINE"'), Buffer.from([0x22, 0xff, 0x22])]) {
      await expect(gateway.readEvent(body, signed(body))).rejects.toThrow(SignatureInvalidError);
    }
    expect(server.requests).toEqual([]);
  });

  it('is left for later when PayPal does not answer', async () => {
    for (const answer of [{ status: 503 }, { body: 'a page' }, 'reset' as const]) {
      server.answer = (request) => (request.path === verifying ? answer : tokenOrNotFound(request));
      const failed = gateway.readEvent(rawBody, signed(rawBody));
      await expect(failed).rejects.toThrow(ProviderError);
      await expect(failed).rejects.toMatchObject({ kind: 'unknown' });
    }
  });
});

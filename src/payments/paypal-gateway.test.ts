import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from '../../sandbox/payments/payment-sandbox.ts';
import { startWireServer, type WireServer } from '../../test/support/wire-server.ts';
import type { PaymentGateway, PaymentReferences, ProviderEvent, ProviderMovement } from './payment-gateway.ts';
import { createPayPalGateway, type PayPalSettings } from './paypal-gateway.ts';

const hour = 3_600_000;
const day = 24 * hour;
const amount = { amountMinor: 1250, currency: 'EUR' };
const nothing = { authorisation: null, capture: null };

let sandbox: PaymentSandbox;
let inbox: WireServer;
let gateway: PaymentGateway;
let paymentId: string;

beforeEach(async () => {
  inbox = await startWireServer(() => ({ status: 200 }));
  sandbox = await startPaymentSandbox({ webhookUrls: { paypal: `${inbox.url}/webhooks` } });
  gateway = openGateway();
  paymentId = randomUUID();
});

afterEach(async () => {
  await sandbox.close();
  await inbox.close();
});

function openGateway(changed: Partial<PayPalSettings> = {}): PaymentGateway {
  const {
    PAYPAL_CLIENT_ID = '',
    PAYPAL_CLIENT_SECRET = '',
    PAYPAL_WEBHOOK_ID = '',
    PAYPAL_API_BASE = '',
  } = sandbox.settings;
  return createPayPalGateway({
    clientId: PAYPAL_CLIENT_ID,
    clientSecret: PAYPAL_CLIENT_SECRET,
    webhookId: PAYPAL_WEBHOOK_ID,
    environment: 'sandbox',
    apiBase: PAYPAL_API_BASE,
    verify: 'offline',
    timeoutMs: 5_000,
    ...changed,
  });
}

function createCheckout(changed: { money?: typeof amount; expiresAt?: Date } = {}) {
  return gateway.createCheckout({
    paymentId,
    orderNumber: 1042,
    amount: changed.money ?? amount,
    expiresAt: changed.expiresAt ?? new Date(Date.now() + hour),
    successUrl: 'https://shop.example/paid',
    cancelUrl: 'https://shop.example/cancelled',
    idempotencyKey: `${paymentId}-checkout`,
  });
}

async function approved(): Promise<PaymentReferences> {
  const { reference } = await createCheckout();
  sandbox.pay(reference);
  return { checkout: reference, ...nothing };
}

/** The references as reading gives them. */
async function latest(references: PaymentReferences): Promise<PaymentReferences> {
  const { authorisation, capture } = await gateway.read(references);
  return { ...references, authorisation: authorisation?.reference ?? null, capture: capture?.reference ?? null };
}

async function authorised(): Promise<PaymentReferences> {
  const references = await approved();
  await gateway.authorise(references, `${paymentId}-authorise`);
  return await latest(references);
}

async function captured(): Promise<PaymentReferences> {
  const references = await authorised();
  await gateway.capture(references, amount, `${paymentId}-capture`);
  return await latest(references);
}

function booked(kind: string): number[] {
  return sandbox.ledger.entries({ paymentId }).flatMap((entry) => (entry.kind === kind ? [entry.amountMinor] : []));
}

describe('a checkout', () => {
  it('is open until the customer approves, and takes the hold when asked', async () => {
    const { reference, url } = await createCheckout();
    const references = { checkout: reference, ...nothing };
    expect(url).toContain(reference);
    await expect(gateway.read(references)).resolves.toMatchObject({ checkout: 'open', authorisation: null });
    sandbox.pay(reference);
    await expect(gateway.read(references)).resolves.toMatchObject({ checkout: 'approved', authorisation: null });
    await gateway.authorise(references, 'authorise-key');
    const { checkout, authorisation } = await gateway.read(references);
    expect(checkout).toBe('complete');
    expect(authorisation).toMatchObject({ status: 'held', amount });
    const heldForMs = (authorisation?.heldUntil?.getTime() ?? 0) - Date.now();
    const honouredForMs = (authorisation?.honouredUntil?.getTime() ?? 0) - Date.now();
    expect(heldForMs / day).toBeCloseTo(29, 2);
    expect(honouredForMs / day).toBeCloseTo(3, 2);
    expect(booked('authorised')).toEqual([1250]);
  });

  it('is the same one when it is asked for again with its key', async () => {
    const [first, second] = [await createCheckout(), await createCheckout()];
    expect(second.reference).toBe(first.reference);
  });

  it('lasts no longer than PayPal remembers an order that nobody has approved', async () => {
    const soon = new Date(Date.now() + hour);
    await expect(createCheckout({ expiresAt: soon })).resolves.toMatchObject({ expiresAt: soon });
    paymentId = randomUUID();
    const { expiresAt } = await createCheckout({ expiresAt: new Date(Date.now() + day) });
    expect((expiresAt.getTime() - Date.now()) / hour).toBeCloseTo(3, 1);
  });

  it('is unknown when PayPal has forgotten it', async () => {
    const { reference } = await createCheckout();
    sandbox.clock.advance(7 * hour);
    await expect(gateway.read({ checkout: reference, ...nothing })).resolves.toMatchObject({ checkout: 'unknown' });
    await expect(gateway.authorise({ checkout: reference, ...nothing }, 'key')).rejects.toMatchObject({
      kind: 'not_found',
    });
  });

  it('cannot be ended by us', async () => {
    const { reference } = await createCheckout();
    expect(gateway.canExpireCheckout).toBe(false);
    await expect(gateway.expireCheckout({ checkout: reference, ...nothing }, 'key')).rejects.toMatchObject({
      kind: 'refused',
    });
  });

  it('in a currency without decimals has none', async () => {
    const money = { amountMinor: 120_000, currency: 'HUF' };
    const { reference } = await createCheckout({ money });
    sandbox.pay(reference);
    await gateway.authorise({ checkout: reference, ...nothing }, 'key');
    await expect(gateway.read({ checkout: reference, ...nothing })).resolves.toMatchObject({
      authorisation: { amount: money },
    });
    expect(gateway.whyNotPayable({ amountMinor: 120_050, currency: 'HUF' })).toMatch(/HUF/);
    expect(gateway.whyNotPayable(money)).toBeNull();
  });

  it('cannot be authorised before it is approved, nor twice', async () => {
    const { reference } = await createCheckout();
    const references = { checkout: reference, ...nothing };
    await expect(gateway.authorise(references, 'early')).rejects.toMatchObject({
      kind: 'wrong_state',
      code: 'ORDER_NOT_APPROVED',
      requestId: expect.any(String),
    });
    sandbox.pay(reference);
    await gateway.authorise(references, 'first');
    await gateway.authorise(references, 'first'); // the same request
    await expect(gateway.authorise(references, 'second')).rejects.toMatchObject({
      kind: 'wrong_state',
      code: 'ORDER_ALREADY_AUTHORIZED',
    });
    expect(booked('authorised')).toEqual([1250]);
  });

  it('that was declined, says so', async () => {
    const { reference } = await createCheckout();
    sandbox.decline(reference);
    const references = { checkout: reference, ...nothing };
    await expect(gateway.authorise(references, 'key')).rejects.toMatchObject({
      kind: 'declined',
      code: 'INSTRUMENT_DECLINED',
    });
    await expect(gateway.read(references)).resolves.toMatchObject({ failure: { code: 'INSTRUMENT_DECLINED' } });
    expect(booked('authorised')).toEqual([]);
  });
});

describe('a hold', () => {
  it('is captured once, whatever is lost on the way', async () => {
    const references = await authorised();
    for (const [kind, effects, heard] of [
      ['unavailable', [], 'unknown'],
      ['reset_before', [], 'unknown'],
      ['rate_limited', [], 'busy'],
      ['conflict', [], 'busy'],
      ['error_after', [1250], 'unknown'],
      ['answer_lost', [1250], 'unknown'],
    ] as const) {
      sandbox.faults.add({ provider: 'paypal', operation: 'capture', kind });
      await expect(gateway.capture(references, amount, 'key')).rejects.toMatchObject({ kind: heard });
      expect(booked('captured')).toEqual(effects);
    }
    await gateway.capture(references, amount, 'key');
    await expect(gateway.capture(references, amount, 'another')).rejects.toMatchObject({
      kind: 'wrong_state',
      code: 'AUTHORIZATION_ALREADY_CAPTURED',
    });
    await expect(gateway.read(references)).resolves.toMatchObject({
      authorisation: { status: 'captured' },
      capture: { status: 'done', amount },
      failure: null,
    });
    expect(booked('captured')).toEqual([1250]);
  });

  it('is captured in part, and the rest of it let go', async () => {
    const references = await authorised();
    const part = { amountMinor: 1000, currency: 'EUR' };
    await gateway.capture(references, part, 'key');
    await expect(gateway.read(references)).resolves.toMatchObject({
      authorisation: { status: 'captured' },
      capture: { status: 'done', amount: part },
    });
    await expect(gateway.capture(references, { ...part, amountMinor: 100 }, 'another')).rejects.toMatchObject({
      code: 'AUTHORIZATION_ALREADY_CAPTURED',
    });
  });

  it('that PayPal declines to capture, is not captured', async () => {
    const references = await authorised();
    sandbox.faults.add({ provider: 'paypal', operation: 'capture', kind: 'capture_declined' });
    await expect(gateway.capture(references, amount, 'key')).rejects.toMatchObject({ kind: 'declined' });
    await expect(gateway.read(references)).resolves.toMatchObject({ capture: { status: 'declined' } });
    expect(booked('captured')).toEqual([]);
  });

  it('whose capture is pending, is not captured yet', async () => {
    const references = await authorised();
    sandbox.faults.add({ provider: 'paypal', operation: 'capture', kind: 'capture_pending' });
    await gateway.capture(references, amount, 'key');
    await expect(gateway.read(references)).resolves.toMatchObject({ capture: { status: 'pending' } });
  });

  it('is voided once', async () => {
    const references = await authorised();
    sandbox.faults.add({ provider: 'paypal', operation: 'void', kind: 'answer_lost' });
    await expect(gateway.void(references, 'key')).rejects.toMatchObject({ kind: 'unknown' });
    await gateway.void(references, 'key');
    await expect(gateway.void(references, 'another')).rejects.toMatchObject({
      kind: 'wrong_state',
      code: 'PREVIOUSLY_VOIDED',
    });
    await expect(gateway.read(references)).resolves.toMatchObject({ authorisation: { status: 'voided' } });
    await expect(gateway.capture(references, amount, 'key-2')).rejects.toMatchObject({ code: 'AUTHORIZATION_VOIDED' });
    expect(booked('voided')).toEqual([1250]);
  });

  it('is renewed after its honour period, and let go as one', async () => {
    const references = await authorised();
    await expect(gateway.reauthorise(references, amount, 'early')).rejects.toMatchObject({ kind: 'wrong_state' });
    sandbox.clock.advance(4 * day);
    const before = await gateway.read(references);
    expect(before.authorisation?.honouredUntil?.getTime()).toBeLessThan(Date.now());
    await gateway.reauthorise(references, amount, 'key');
    await gateway.reauthorise(references, amount, 'key');
    const { authorisation } = await gateway.read(references);
    expect(authorisation?.reference).not.toBe(references.authorisation);
    expect(authorisation?.status).toBe('held');
    expect(((authorisation?.honouredUntil?.getTime() ?? 0) - Date.now()) / day).toBeCloseTo(3, 2);
    expect(((authorisation?.heldUntil?.getTime() ?? 0) - Date.now()) / day).toBeCloseTo(25, 2);
    expect(booked('reauthorised')).toEqual([1250]);
    const renewed = await latest(references);
    await expect(gateway.reauthorise(renewed, amount, 'again')).rejects.toMatchObject({ kind: 'wrong_state' });
    await gateway.void(renewed, 'void-key');
    await gateway.void(renewed, 'void-key');
    await expect(gateway.read(renewed)).resolves.toMatchObject({ authorisation: { status: 'voided' } });
    expect(booked('voided')).toEqual([1250]);
  });

  it('is captured after it was renewed', async () => {
    const references = await authorised();
    sandbox.clock.advance(5 * day);
    await gateway.reauthorise(references, amount, 'key');
    const renewed = await latest(references);
    await gateway.capture(renewed, amount, 'capture-key');
    await expect(gateway.read(renewed)).resolves.toMatchObject({
      authorisation: { status: 'captured' },
      capture: { status: 'done', amount },
    });
    expect(booked('captured')).toEqual([1250]);
  });

  it('ends after 29 days', async () => {
    const references = await authorised();
    sandbox.clock.advance(29 * day + hour);
    await expect(gateway.read(references)).resolves.toMatchObject({ authorisation: { status: 'expired' } });
    await expect(gateway.capture(references, amount, 'key')).rejects.toMatchObject({
      kind: 'wrong_state',
      code: 'AUTHORIZATION_EXPIRED',
    });
  });

  it('that is not there, can neither be captured, voided nor refunded', async () => {
    const references = await approved();
    await expect(gateway.capture(references, amount, 'key')).rejects.toMatchObject({ kind: 'wrong_state' });
    await expect(gateway.void(references, 'key')).rejects.toMatchObject({ kind: 'wrong_state' });
    await expect(gateway.refund(references, { operationId: 'op', amount }, 'key')).rejects.toMatchObject({
      kind: 'wrong_state',
    });
  });
});

describe('money taken', () => {
  it('is given back in parts, each once and under its own operation', async () => {
    const references = await captured();
    const part = { amountMinor: 500, currency: 'EUR' };
    for (const operationId of ['operation-1', 'operation-2']) {
      sandbox.faults.add({ provider: 'paypal', operation: 'refund', kind: 'answer_lost' });
      const refund = { operationId, amount: part };
      await expect(gateway.refund(references, refund, `${operationId}-key`)).rejects.toMatchObject({ kind: 'unknown' });
      await gateway.refund(references, refund, `${operationId}-key`);
    }
    const { refunds, capture } = await gateway.read(references);
    expect(refunds).toEqual(
      ['operation-1', 'operation-2'].map((operationId) => ({
        reference: expect.any(String),
        operationId,
        status: 'done',
        amount: part,
      })),
    );
    expect(capture).toMatchObject({ status: 'done', amount });
    expect(booked('refunded')).toEqual([500, 500]);
    const tooMuch = { operationId: 'operation-3', amount: part };
    await expect(gateway.refund(references, tooMuch, 'key')).rejects.toMatchObject({
      kind: 'wrong_state',
      code: 'REFUND_AMOUNT_EXCEEDED',
    });
  });

  it('is listed, with what was given back', async () => {
    const references = await captured();
    const refund = { operationId: 'operation-1', amount: { amountMinor: 250, currency: 'EUR' } };
    await gateway.refund(references, refund, 'key');
    const { capture, refunds } = await gateway.read(references);
    const movements: ProviderMovement[] = [];
    const from = new Date(Date.now() - 100 * day);
    for await (const movement of gateway.listMovements(from, new Date(Date.now() + hour))) movements.push(movement);
    expect(movements).toEqual([
      {
        kind: 'capture',
        reference: capture?.reference,
        relatedReference: references.authorisation,
        paymentId,
        amount,
        at: expect.any(Date),
      },
      {
        kind: 'refund',
        reference: refunds[0]?.reference,
        relatedReference: capture?.reference,
        paymentId: null,
        amount: refund.amount,
        at: expect.any(Date),
      },
    ]);
  });
});

describe('what PayPal announces', () => {
  it.each(['offline', 'postback'] as const)(
    'is read, verified %s, for the payment that it is about',
    async (verify) => {
      const references = await captured();
      const refund = { operationId: 'operation-1', amount };
      await gateway.refund(references, refund, 'key');
      const reader = openGateway({ verify });
      await expect.poll(() => inbox.requests.length).toBe(4);
      const events: ProviderEvent[] = [];
      for (const { body, headers } of inbox.requests) events.push(await reader.readEvent(body, headers));
      const { checkout, authorisation, capture } = references;
      const byType = new Map(events.map((event) => [event.type, event]));
      expect(byType.get('CHECKOUT.ORDER.APPROVED')).toMatchObject({ paymentId, references: [checkout], amount });
      expect(byType.get('PAYMENT.AUTHORIZATION.CREATED')).toMatchObject({
        paymentId,
        references: [authorisation, checkout],
        amount,
      });
      expect(byType.get('PAYMENT.CAPTURE.COMPLETED')).toMatchObject({
        paymentId,
        references: [capture, checkout, authorisation],
        amount: null,
      });
      // It carries the operation where others carry the payment.
      expect(byType.get('PAYMENT.CAPTURE.REFUNDED')).toMatchObject({
        paymentId: null,
        references: [capture],
        amount: null,
      });
      expect(new Set(events.map(({ id }) => id)).size).toBe(4);
    },
  );
});

describe('wrong keys', () => {
  it('are refused, and not for want of trying', async () => {
    const stranger = openGateway({ clientSecret: 'wrong' });
    await expect(stranger.read({ checkout: 'ORDER', ...nothing })).rejects.toMatchObject({
      kind: 'unauthorised',
      code: 'invalid_client',
    });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FaultKind, SandboxOperation } from '../../sandbox/payments/fault-script.ts';
import {
  type DeskPayment,
  failureOf,
  gatewayTimeoutMs,
  openPaymentDesk,
  type PaymentDesk,
} from '../../test/support/payment-desk.ts';
import { until } from '../../test/support/until.ts';
import { type PaymentProvider, paymentProviders } from '../domain/payment.ts';
import { ProviderError, type ProviderErrorKind } from './payment-gateway.ts';

/** A wire that fails: what the engine hears of it, and what a repeat with the same key comes to. */
let desk: PaymentDesk;
beforeAll(async () => {
  desk = await openPaymentDesk();
});
afterAll(() => desk.close());
beforeEach(() => desk.sandbox.faults.clear());

interface Step {
  operation: SandboxOperation;
  before(payment: DeskPayment): Promise<unknown>;
  act(payment: DeskPayment): Promise<unknown>;
  isDone(payment: DeskPayment): Promise<boolean>;
  effect: 'authorised' | 'captured' | 'voided' | 'refunded';
}

const capturing: Step = {
  operation: 'capture',
  before: (payment) => payment.hold(),
  act: (payment) => payment.capture(),
  isDone: async (payment) => (await payment.read()).capture?.status === 'done',
  effect: 'captured',
};
const refunding: Step = {
  operation: 'refund',
  before: (payment) => payment.holdAndCapture(),
  act: (payment) => payment.refund('refund', 300),
  isDone: async (payment) => (await payment.read()).refunds.some(({ status }) => status === 'done'),
  effect: 'refunded',
};
const voiding: Step = {
  operation: 'void',
  before: (payment) => payment.hold(),
  act: (payment) => payment.void(),
  isDone: async (payment) => (await payment.read()).authorisation?.status === 'voided',
  effect: 'voided',
};
/** A step of ours at PayPal alone. */
const authorising: Step = {
  operation: 'authorise',
  before: async (payment) => {
    await payment.open();
    desk.sandbox.pay(payment.references.checkout);
  },
  act: (payment) => payment.authorise(),
  isDone: async (payment) => (await payment.read()).authorisation?.status === 'held',
  effect: 'authorised',
};

const faults: [FaultKind, ProviderErrorKind, number][] = [
  ['answer_lost', 'unknown', 1],
  ['error_after', 'unknown', 1],
  ['slow', 'unknown', 1],
  ['unavailable', 'unknown', 0],
  ['reset_before', 'unknown', 0],
  ['slow_before', 'unknown', 0],
  ['rate_limited', 'busy', 0],
  ['conflict', 'busy', 0],
];
const quickFaults = faults.filter(([kind]) => !kind.startsWith('slow'));
const cases: [PaymentProvider, Step, FaultKind, ProviderErrorKind, number][] = [];
for (const provider of paymentProviders) {
  for (const fault of faults) cases.push([provider, capturing, ...fault]);
  for (const step of [refunding, voiding]) for (const fault of quickFaults) cases.push([provider, step, ...fault]);
}
for (const fault of quickFaults) cases.push(['paypal', authorising, ...fault]);
const named = cases.map(([provider, step, ...fault]) => [provider, step.operation, ...fault, step] as const);

it.each(named)('%s, %s: %s is %s with %i effects, and the same key again makes it one', async (...given) => {
  const [provider, operation, kind, expected, effectsAtOnce, step] = given;
  const payment = desk.newPayment(provider);
  await step.before(payment);
  desk.sandbox.faults.add({ provider, operation, kind, delayMs: 2 * gatewayTimeoutMs, retryAfterSeconds: 2 });
  const startedAt = performance.now();
  const failure = await failureOf(step.act(payment));
  expect(performance.now() - startedAt).toBeLessThan(2 * gatewayTimeoutMs);
  expect(failure).toMatchObject({ kind: expected, retryAfterMs: kind === 'rate_limited' ? 2_000 : null });
  expect(payment.effects(step.effect)).toHaveLength(effectsAtOnce);
  expect(desk.sandbox.faults.met().at(-1)).toMatchObject({ provider, operation, kind });

  // A provider may answer a key with the failure it answered at first: then reading is what tells.
  await until('the step to be done', async () => {
    await step.act(payment).catch((error: unknown) => expect(error).toBeInstanceOf(ProviderError));
    return await step.isDone(payment);
  });
  expect(payment.effects(step.effect)).toHaveLength(1);
});

describe.each(paymentProviders)('at %s', (provider) => {
  it.each(['answer_lost', 'unavailable', 'rate_limited'] as const)('a checkout comes to one after %s', async (kind) => {
    const payment = desk.newPayment(provider);
    desk.sandbox.faults.add({ provider, operation: 'checkout.create', kind });
    expect((await failureOf(payment.open())).kind).toBe(kind === 'rate_limited' ? 'busy' : 'unknown');
    const { reference } = await payment.open();
    expect((await payment.open()).reference).toBe(reference);
  });

  it.each(['answer_lost', 'unavailable', 'rate_limited', 'slow'] as const)(
    'what could not be read is no answer: %s',
    async (kind) => {
      const payment = desk.newPayment(provider);
      await payment.hold();
      desk.sandbox.faults.add({ provider, operation: 'checkout.read', kind, delayMs: 2 * gatewayTimeoutMs });
      expect((await failureOf(payment.read())).kind).toBe(kind === 'rate_limited' ? 'busy' : 'unknown');
      expect(await payment.read()).toMatchObject({ authorisation: { status: 'held' } });
    },
  );
});

import type { PaymentStatus } from '../../src/domain/payment.ts';
import type { OrderStory } from './customer.ts';
import { entriesOf, type OrderFacts, openHolds, sumOf, tellOrder, wasDeclined } from './order-facts.ts';
import type { StormScene } from './storm-scene.ts';

/** The clocks of Postgres and of the sandbox are those of one machine, read to the millisecond. */
const clocksDifferMs = 5;

/** What must not be after a storm, in words; empty when all is well. */
export async function findBroken(
  scene: StormScene,
  orders: readonly OrderFacts[],
  stories: readonly OrderStory[],
): Promise<string[]> {
  const byKey = Map.groupBy(orders, ({ key }) => key);
  const ofStories = stories.flatMap((story) => {
    const [facts, ...others] = byKey.get(story.key) ?? [];
    if (!facts) return [`order ${story.script.index} was placed and is not there`];
    const broken = [
      ...(others.length > 0 ? [`one key, ${others.length + 1} orders`] : []),
      ...findWrongEnd(facts, story),
      ...findWrongMoney(facts),
      ...findWrongStatus(facts),
      ...findToldTwice(facts),
      ...findWrongRefunds(facts, story),
      ...findCookedForNothing(facts),
    ];
    return broken.map((what) => `${what}\n${tellOrder(facts)}\n  script ${JSON.stringify(story)}`);
  });
  const strays = orders.filter(({ key }) => !stories.some((story) => story.key === key));
  return [
    ...ofStories,
    ...strays.map(({ number }) => `order ${number} was placed by nobody`),
    ...findWrongSums(scene, orders),
    ...(await findWrongEvents(scene)),
    ...(await findQuarantined(scene)),
  ];
}

function findWrongEnd(facts: OrderFacts, { script, paid, cancelled, paidAfterCancel }: OrderStory): string[] {
  const { status, failureReason, payment } = facts;
  const broken: string[] = [];
  const isPaid = entriesOf(facts, 'authorised').length > 0;
  if (status === 'awaiting_payment' && (isPaid || payment?.status !== 'requires_payment'))
    broken.push('it is paid, and still waits for its payment');
  if (status === 'failed' && !failureReason) broken.push('it failed without a reason');
  if (paidAfterCancel && script.provider === 'paypal' && isPaid)
    broken.push('it was approved after it was cancelled, and held all the same');
  if (cancelled && status !== 'cancelled') broken.push('it was cancelled, and is not');
  // Who opened the checkout anew had paid at one that the engine had ended.
  const isBySystem = status === 'cancelled' && !cancelled && facts.events.some(isCancelledBySystem);
  const mayLapse = script.paying === 'reopen' || script.paying === 'decline' || script.paying === 'decline_then_pay';
  if (isBySystem && paid.length > 0 && !mayLapse) broken.push('it was paid, and the engine cancelled it');
  if (status === 'cancelled' && !cancelled && !isBySystem) {
    const isUnheard = facts.events.some(({ type, actor }) => type === 'cancelled' && actor !== 'system');
    if (!isUnheard || !script.cancel) broken.push('it was cancelled by nobody');
  }
  return broken;
}

const isCancelledBySystem = ({ type, actor }: OrderFacts['events'][number]) =>
  type === 'cancelled' && actor === 'system';

function findWrongMoney(facts: OrderFacts): string[] {
  const { status, payment, totalMinor } = facts;
  const captures = entriesOf(facts, 'captured');
  const captured = sumOf(captures);
  const refunded = sumOf(entriesOf(facts, 'refunded'));
  const broken: string[] = [];
  if (captures.length > 1) broken.push(`captured ${captures.length} times`);
  if (captures.length > 0 && captured !== totalMinor) broken.push(`captured ${captured} instead of ${totalMinor}`);
  if (entriesOf(facts, 'authorised').length > 1) broken.push('held more than once');
  if (status === 'complete' && captures.length === 0 && !wasDeclined(facts, 'capture'))
    broken.push('complete and not captured');
  if (status === 'cancelled' && captured !== refunded && !wasDeclined(facts, 'refund'))
    broken.push(`cancelled, and keeps ${captured - refunded}`);
  const mayHold = status === 'failed' || wasDeclined(facts, 'capture');
  if (openHolds(facts) !== 0 && !(openHolds(facts) === 1 && mayHold)) broken.push(`${openHolds(facts)} holds are left`);
  if (payment && payment.capturedMinor !== captured)
    broken.push(`the ledger says ${payment.capturedMinor} captured, the provider ${captured}`);
  if (payment && payment.refundedMinor !== refunded)
    broken.push(`the ledger says ${payment.refundedMinor} refunded, the provider ${refunded}`);
  return broken;
}

/** Where the payment stands must be where the provider's account says that the money is. */
function findWrongStatus(facts: OrderFacts): string[] {
  if (!facts.payment) return [];
  const captured = sumOf(entriesOf(facts, 'captured'));
  const refunded = sumOf(entriesOf(facts, 'refunded'));
  const { status } = facts.payment;
  const expected: PaymentStatus[] =
    captured > 0
      ? [refunded === 0 ? 'captured' : refunded < captured ? 'partially_refunded' : 'refunded']
      : entriesOf(facts, 'voided').length > 0
        ? ['voided']
        : entriesOf(facts, 'authorised').length > 0
          ? ['authorised', ...(wasDeclined(facts, 'capture') ? (['failed'] as const) : [])]
          : ['requires_payment', 'expired', 'failed'];
  return expected.includes(status) ? [] : [`its payment is ${status}, and should be ${expected.join(' or ')}`];
}

const once = ['placed', 'paid', 'completed', 'cancelled', 'payment_authorised', 'payment_captured', 'payment_voided'];

/** Receipts and messages hang on these: what happened once is told once. */
const findToldTwice = ({ events }: OrderFacts): string[] =>
  once
    .filter((type) => events.filter((event) => event.type === type).length > 1)
    .map((type) => `${type} is told twice`);

function findWrongRefunds(facts: OrderFacts, { refundsTaken, refundsUnheard }: OrderStory): string[] {
  const refunds = facts.operations.filter(({ type }) => type === 'refund');
  const broken: string[] = [];
  for (const { id, amountMinor } of refundsTaken)
    if (!refunds.some((refund) => refund.id === id && refund.amountMinor === amountMinor))
      broken.push(`refund ${id} was promised and is not there`);
  const ofPeople = refunds.length - (facts.status === 'cancelled' ? 1 : 0);
  if (ofPeople > refundsTaken.length + refundsUnheard) broken.push('more refunds than were asked for');
  const done = refunds.filter(({ state }) => state === 'succeeded').map(({ amountMinor }) => amountMinor);
  const given = entriesOf(facts, 'refunded').map(({ amountMinor }) => amountMinor);
  if (done.toSorted().join() !== given.toSorted().join()) broken.push(`refunds ${done} became ${given}`);
  const failed = refunds.filter(({ state, errorKind }) => state === 'failed' && errorKind !== 'superseded');
  if (!wasDeclined(facts, 'refund'))
    for (const { errorKind, errorCode } of failed) broken.push(`a refund failed: ${errorKind} ${errorCode}`);
  return broken;
}

function findCookedForNothing(facts: OrderFacts): string[] {
  const started = facts.events.find(({ type }) => type === 'started');
  if (!started) return [];
  const [held] = entriesOf(facts, 'authorised');
  if (!held) return ['it was started and never paid'];
  return started.at + clocksDifferMs < Date.parse(held.at) ? ['it was started before it was paid'] : [];
}

function findWrongSums({ sandbox }: StormScene, orders: readonly OrderFacts[]): string[] {
  return (['stripe', 'paypal'] as const).flatMap((provider) => {
    const ours = orders.flatMap(({ payment }) => (payment?.provider === provider ? [payment] : []));
    return (['captured', 'refunded'] as const).flatMap((kind) => {
      const mine = ours.reduce((sum, payment) => sum + payment[`${kind}Minor`], 0);
      const theirs = sumOf(sandbox.ledger.entries({ provider, kind }));
      return mine === theirs ? [] : [`${kind} by ${provider}: ${mine} in the ledger, ${theirs} at the provider`];
    });
  });
}

async function findWrongEvents({ database, sandbox }: StormScene): Promise<string[]> {
  const stored = await database.query<{ provider: string; eventId: string; state: string; copies: number }>(
    'SELECT provider, event_id AS "eventId", min(state) AS state, count(*)::int AS copies FROM webhook_events GROUP BY 1, 2',
  );
  const byId = new Map(stored.map((event) => [`${event.provider} ${event.eventId}`, event]));
  const sent = sandbox.webhooks.events();
  const sentIds = new Set(sent.map(({ provider, id }) => `${provider} ${id}`));
  return [
    ...sent
      .filter(({ provider, id, state }) => state === 'delivered' && !byId.has(`${provider} ${id}`))
      .map(({ id, type }) => `event ${id} ${type} was taken and is not stored`),
    ...stored.flatMap(({ provider, eventId, state, copies }) => [
      ...(copies > 1 ? [`event ${eventId} is stored ${copies} times`] : []),
      ...(sentIds.has(`${provider} ${eventId}`) ? [] : [`event ${eventId} was never sent`]),
      ...(state === 'handled' ? [] : [`event ${eventId} is ${state}`]),
    ]),
  ];
}

/** Nothing in the storm differs from what was agreed: whatever is put aside was put aside wrongly. */
async function findQuarantined({ database }: StormScene): Promise<string[]> {
  const rows = await database.query<{ kind: string; detail: string }>('SELECT kind, detail FROM quarantine');
  return rows.map(({ kind, detail }) => `put aside as ${kind}: ${detail}`);
}

import { setTimeout as delay } from 'node:timers/promises';
import { entriesOf, type OrderFacts, openHolds, readOrderFacts, sumOf, tellOrder, wasDeclined } from './order-facts.ts';
import type { StormScene } from './storm-scene.ts';

const lookEveryMs = 1_000;
/** What was asked in the storm may still have its effect: rest is only what lasts. */
const restLastsMs = 2_500;

/** As if minutes had passed: what waits for its time is due now. */
export async function letTimePass({ database }: StormScene): Promise<void> {
  await database.query('UPDATE payments SET next_sync_at = now() WHERE next_sync_at > now() AND lease_id IS NULL');
  await database.query('UPDATE webhook_events SET next_try_at = now() WHERE next_try_at > now()');
}

/** As if nothing could come any more of what was asked in the storm: true, as soon as the slowest answers are through. */
async function letAnswersGrowOld({ database }: StormScene): Promise<void> {
  await database.query(
    "UPDATE payment_operations SET first_asked_at = first_asked_at - interval '30 seconds' WHERE state = 'unknown'",
  );
}

/**
 * Waits until nothing is left to do, and gives what it came to. Fails with everything about each order that does not come to rest.
 */
export async function untilAtRest(
  scene: StormScene,
  { withinMs, isHurried, onLook }: { withinMs: number; isHurried: boolean; onLook(reasons: readonly string[]): void },
): Promise<OrderFacts[]> {
  const giveUpAt = Date.now() + withinMs;
  let restSince: number | null = null;
  for (;;) {
    if (isHurried) await letAnswersGrowOld(scene);
    await Promise.race([scene.sandbox.webhooks.idle(), delay(lookEveryMs)]);
    const facts = await readOrderFacts(scene);
    const restless = [...(await findRestless(scene, facts)), ...(await findLeftOver(scene))];
    onLook(restless.map((about) => about.split('\n', 1)[0] ?? ''));
    if (restless.length > 0) restSince = null;
    else restSince ??= Date.now();
    if (restSince !== null && Date.now() - restSince >= restLastsMs) return facts;
    if (Date.now() > giveUpAt)
      throw new Error(`${restless.length} not at rest within ${withinMs} ms:\n\n${restless.join('\n\n')}`);
    await delay(lookEveryMs);
  }
}

async function findRestless(scene: StormScene, orders: readonly OrderFacts[]): Promise<string[]> {
  const open = await listOpenCheckouts(scene);
  return orders.flatMap((facts) => {
    const why = whyRestless(facts, open);
    return why ? [`order ${facts.number}: ${why}\n${tellOrder(facts)}`] : [];
  });
}

function whyRestless(facts: OrderFacts, openCheckouts: ReadonlySet<string>): string | null {
  const { status, payment, operations } = facts;
  if (!payment) return 'an order without a payment';
  if (status === 'pending' || status === 'processing') return `still ${status}`;
  if (status === 'awaiting_payment' && !openCheckouts.has(payment.checkoutReference ?? ''))
    return 'awaits a payment, and has no checkout where it could be paid';
  const unended = operations.find(({ state }) => state === 'requested' || state === 'unknown');
  if (unended) return `${unended.type} ${unended.seq} is ${unended.state}`;
  const isDeclined = wasDeclined(facts, 'capture') || wasDeclined(facts, 'refund');
  if (isDeclined) return null;
  if (status === 'complete' && entriesOf(facts, 'captured').length === 0) return 'complete and not captured';
  if (status === 'cancelled' && openHolds(facts) > 0) return 'cancelled and still held';
  if (status === 'cancelled' && sumOf(entriesOf(facts, 'captured')) > sumOf(entriesOf(facts, 'refunded')))
    return 'cancelled and not given back';
  if (payment.syncNo > payment.syncedNo) return 'a look was asked for and not made';
  return null;
}

/** What is on its way between the parts of the engine. */
async function findLeftOver({ database }: StormScene): Promise<string[]> {
  const boxed = await database.query<{ queue: string; jobs: unknown }>('SELECT queue, jobs FROM outbox');
  const events = await database.query<{
    provider: string;
    type: string;
    state: string;
    tries: number;
    references: string;
  }>(
    `SELECT provider, type, state, tries, object_references::text AS "references" FROM webhook_events WHERE state IN ('received', 'parked')`,
  );
  return [
    ...boxed.map((row) => `in the outbox: ${JSON.stringify(row)}`),
    ...events.map((row) => `an event that is not handled: ${JSON.stringify(row)}`),
  ];
}

async function listOpenCheckouts({ sandbox }: StormScene): Promise<ReadonlySet<string>> {
  const response = await fetch(`${sandbox.url}/sandbox/checkouts`);
  const { checkouts } = (await response.json()) as { checkouts: { reference: string }[] };
  return new Set(checkouts.map(({ reference }) => reference));
}

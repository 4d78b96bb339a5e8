import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import Stripe from 'stripe';

export interface Flood {
  /** How long each delivery waited for its answer. */
  answerMs: number[];
  /** Those that were not answered 200. */
  refused: number;
}

const batchEveryMs = 10;

/**
 * Sends events at a steady rate, each signed, whether or not the ones before it are answered: as a provider does after an outage.
 * Their ids begin with `prefix`.
 */
export async function flood(
  address: string,
  { perSecond, seconds, secret, prefix }: { perSecond: number; seconds: number; secret: string; prefix: string },
): Promise<Flood> {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const { webhooks } = new Stripe('sk_test_flood');
  const found: Flood = { answerMs: [], refused: 0 };
  const total = perSecond * seconds;
  const payloads = Array.from({ length: total }, (_, index) => eventOf(`${prefix}${index}`));
  const signatures = payloads.map((payload) => webhooks.generateTestHeaderString({ payload, secret }));
  const answers: Promise<void>[] = [];
  const startedAt = performance.now();
  while (answers.length < total) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1_000) * perSecond));
    while (answers.length < due) {
      const index = answers.length;
      answers.push(send(agent, address, payloads[index] ?? '', signatures[index] ?? '', found));
    }
    await delay(batchEveryMs);
  }
  await Promise.all(answers);
  agent.destroy();
  return found;
}

function send(agent: Agent, address: string, payload: string, signature: string, found: Flood): Promise<void> {
  const sentAt = performance.now();
  const note = (status: number | undefined) => {
    found.answerMs.push(performance.now() - sentAt);
    if (status !== 200) found.refused += 1;
  };
  return new Promise((resolve) => {
    const sending = request(address, {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': signature },
    });
    sending.on('response', (response) => {
      response.resume();
      response.on('end', () => {
        note(response.statusCode);
        resolve();
      });
    });
    sending.on('error', () => {
      note(undefined);
      resolve();
    });
    sending.end(payload);
  });
}

/** About as large as a real one. */
const eventOf = (id: string) =>
  JSON.stringify({
    id,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: Math.floor(Date.now() / 1_000),
    type: 'charge.updated',
    data: { object: { id: `ch_${id}`, object: 'charge', metadata: {}, description: 'x'.repeat(2_500) } },
  });

import type { DatabasePool } from 'slonik';
import type { Logger } from '../log.ts';
import type { PaymentGateways } from './payment-deps.ts';
import { WebhookInbox } from './webhook-inbox.ts';

export interface FetchMissedEventsDeps {
  pool: DatabasePool;
  gateways: PaymentGateways;
  wakeRelay(): void;
  log: Pick<Logger, 'info'>;
}

/** Longer than providers repeat a delivery: what they have given up on is found too. */
const sinceMs = 4 * 86_400_000;

/** Keeps events that a provider could not deliver, as if it had. Returns how many it listed. */
export async function fetchMissedEvents({ pool, gateways, wakeRelay, log }: FetchMissedEventsDeps): Promise<number> {
  const inbox = new WebhookInbox({ pool, wakeRelay });
  let listed = 0;
  for (const gateway of Object.values(gateways)) {
    if (!gateway.listMissedEvents) continue;
    for await (const { event, rawBody } of gateway.listMissedEvents(new Date(Date.now() - sinceMs))) {
      await inbox.keep({ provider: gateway.provider, event, rawBody: Buffer.from(rawBody), source: 'list' });
      listed += 1;
    }
  }
  if (listed > 0) log.info({ events: listed }, 'undelivered events listed');
  return listed;
}

import { z } from 'zod';
import { orderSchema } from '../../domain/order.ts';
import { askFor, type Server } from '../api-client.ts';
import type { SentOrder } from './day-report.ts';
import { factsFrom } from './order-facts.ts';
import type { OrderWatch } from './order-watch.ts';

const orderAnswer = z.object({ order: orderSchema });
const quietMs = 10_000;
const askedAtOnce = 20;

/** Waits until every order that was sent has come to its end, and knows how. */
export async function settleDay(server: Server, watch: OrderWatch, sent: readonly SentOrder[]): Promise<void> {
  const isOpen = (order: SentOrder) => !order.alreadySent && watch.factsOf(order.number).endedAs === null;
  for (const order of sent.toReversed()) {
    while (isOpen(order)) {
      const hasChanged = await watch.nextChange(quietMs, server.signal);
      if (hasChanged && !watch.hasGap) continue; // each change looks at this one order only: a day can have many
      const open = sent.filter(isOpen);
      await askFacts(server, watch, watch.hasGap ? open : open.slice(0, askedAtOnce)); // a net under the stream
      watch.hasGap = false;
    }
  }
}

/** Asks the orders whose story the stream told with a gap in it. */
export async function fillGaps(server: Server, watch: OrderWatch, sent: readonly SentOrder[]): Promise<void> {
  const incomplete = sent.filter((order) => {
    const { endedAs, firstStartedAtMs } = watch.factsOf(order.number);
    return !order.alreadySent && (endedAs === null || (endedAs === 'complete' && firstStartedAtMs === null));
  });
  await askFacts(server, watch, incomplete);
}

async function askFacts(server: Server, watch: OrderWatch, orders: readonly SentOrder[]): Promise<void> {
  for (const { number } of orders) {
    const { value } = await askFor(server, { method: 'GET', path: `/v1/orders/${number}` }, orderAnswer);
    watch.correct(number, factsFrom(value.order, watch.factsOf(number)));
  }
}

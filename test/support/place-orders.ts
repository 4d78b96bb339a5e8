import type { Lane } from '../../src/domain/lane.ts';
import type { Order } from '../../src/domain/order.ts';
import { type Api, normal, vip } from './api.ts';

/** Places one order whose note tells the scripted handler what to do. */
export async function placeNoted(api: Api, lane: Lane, note: string): Promise<Order> {
  const answer = await api.call<{ order: Order }>('POST', '/v1/orders', {
    as: lane === 'vip' ? vip : normal,
    body: { items: [{ sku: 'espresso', quantity: 1 }], payment: { method: 'counter' }, note },
  });
  if (answer.status !== 201) throw new Error(`expected 201, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body.order;
}

/** Places orders in bursts of random size and lane with random pauses between them; resolves when the last is accepted. */
export async function placeInBursts(
  api: Api,
  {
    count,
    random,
    note,
    vipShare = 0.4,
    maxBurst = 40,
    maxPauseMs = 60,
  }: { count: number; random: () => number; note: string; vipShare?: number; maxBurst?: number; maxPauseMs?: number },
): Promise<Order[]> {
  const placed: Order[] = [];
  while (placed.length < count) {
    const size = Math.min(count - placed.length, 1 + Math.floor(random() * maxBurst));
    const burst = Array.from({ length: size }, () => placeNoted(api, random() < vipShare ? 'vip' : 'normal', note));
    placed.push(...(await Promise.all(burst)));
    await new Promise((resolve) => setTimeout(resolve, random() * maxPauseMs));
  }
  return placed;
}

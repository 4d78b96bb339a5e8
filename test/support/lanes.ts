import { openQueueStore, type QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { type Lane, lanes } from '../../src/domain/lane.ts';
import type { Engine } from './engine.ts';
import { readTimeline, type TimelineOrder } from './timeline.ts';
import { until } from './until.ts';

const inLaneOrder = (orders: readonly TimelineOrder[], lane: Lane) =>
  orders
    .filter((order) => order.lane === lane && order.status === 'pending')
    .toSorted((a, b) => a.dueSeq - b.dueSeq)
    .map(({ number }) => `order-${number}-1`);

/** The queues of an engine, to look into from outside. */
export function openStoreOf({ config }: Engine): QueueStore {
  return openQueueStore({
    databaseUrl: config.databaseUrl,
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    role: 'producer',
    onError: () => {},
  });
}

/** Both lanes hold exactly what is due by the database, in its order. Asked anew until both were looked at in the same state. */
export async function expectLanesExact(engine: Engine, store: QueueStore, timeoutMs: number): Promise<void> {
  await until(
    'both lanes as the database says',
    async () => {
      const held = Object.fromEntries(
        await Promise.all(lanes.map(async (lane) => [lane, await store.listWaiting(laneQueues[lane].name)] as const)),
      );
      const orders = await readTimeline(engine.database);
      const wrong = lanes.filter((lane) => JSON.stringify(held[lane]) !== JSON.stringify(inLaneOrder(orders, lane)));
      if (wrong.length === 0) return true;
      throw new Error(
        wrong
          .map(
            (lane) =>
              `${lane} holds ${held[lane]?.length}, due ${inLaneOrder(orders, lane).length}: ${held[lane]?.slice(0, 8)} instead of ${inLaneOrder(orders, lane).slice(0, 8)}`,
          )
          .join('; '),
      );
    },
    timeoutMs,
  );
}

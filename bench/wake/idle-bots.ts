/**
 * Five idle bots in one process with the queue: how long from `Queue.add` until the work is called. Arguments:
 * redis|postgres SAMPLES, per lane.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openQueueStore } from '../../queues/backend.ts';
import { LanePuller } from '../../queues/lane-puller.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { type Lane, lanes } from '../../src/domain/lane.ts';
import { createLog } from '../../src/log.ts';
import { serveBench } from '../lab/serve-bench.ts';

const { DATABASE_URL = '', REDIS_URL = '', QUEUE_PREFIX = '' } = process.env;
const [backend, samples] = process.argv.slice(2);
const bots = 5;
const warmUp = 50;
const store = openQueueStore({
  databaseUrl: DATABASE_URL,
  redisUrl: backend === 'redis' ? REDIS_URL : null,
  ...{ prefix: QUEUE_PREFIX, role: 'worker', poolSize: 8 },
  onError: (error) => console.error(error.message),
});
let onWork = (_orderNumber: number) => {};
const puller = new LanePuller({
  name: 'bench',
  store,
  log: createLog('warn', 'bench'),
  async work(_botId, claim) {
    onWork(claim.order.orderNumber);
    return { kind: 'done' };
  },
  restorePlaces: async () => {},
});
await puller.start();
for (let bot = 1; bot <= bots; bot++) puller.addBot(`bot ${bot}`);

let orderNumber = 0;

async function sample(lane: Lane): Promise<number> {
  while (puller.idleBots < bots) await delay(1);
  await delay(2 + Math.random() * 4); // the doorbell is listening again
  orderNumber += 1;
  const data = { orderNumber, enqueueNo: 1 };
  const definition = laneQueues[lane];
  const queue = store.queue(definition.name);
  const { promise, resolve } = Promise.withResolvers<number>();
  onWork = (number) => {
    if (number === data.orderNumber) resolve(performance.now());
  };
  const addedAt = performance.now();
  const added = queue.add('order', data, { jobId: definition.jobId(data) });
  const calledAt = await promise;
  await added;
  return calledAt - addedAt;
}

serveBench({
  async work() {
    const latencies: Record<Lane, number[]> = { vip: [], normal: [] };
    for (let round = -warmUp; round < Number(samples); round++) {
      for (const lane of lanes) {
        const latency = await sample(lane);
        if (round >= 0) latencies[lane].push(latency);
      }
    }
    return latencies;
  },
  async close() {
    await puller.close();
    await store.close();
  },
});

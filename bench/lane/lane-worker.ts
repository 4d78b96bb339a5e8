/**
 * Drains a lane without a database: our puller, or a BullMQ Worker with a processor that does nothing. Arguments: raw|vip|normal
 * CONCURRENCY WARM_UP COUNT.
 */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { openQueueStore } from '../../queues/backend.ts';
import { LanePuller } from '../../queues/lane-puller.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { createLog } from '../../src/log.ts';
import { startStopwatch } from '../drain/stopwatch.ts';
import { addOrderJobs } from '../lab/pending-orders.ts';
import { serveBench } from '../lab/serve-bench.ts';

const { REDIS_URL = '', QUEUE_PREFIX = '' } = process.env;
const [contestant, ...figures] = process.argv.slice(2);
const [concurrency = 0, warmUp = 0, count = 0] = figures.map(Number);
const lane = contestant === 'vip' ? 'vip' : 'normal';
const stopwatch = startStopwatch(warmUp, count);
const store = openQueueStore({
  ...{ databaseUrl: '', redisUrl: REDIS_URL, prefix: QUEUE_PREFIX, role: 'worker' },
  onError: (error) => console.error(error.message),
});
await addOrderJobs(
  store,
  lane,
  Array.from({ length: warmUp + count }, (_, n) => n + 1),
);

async function pull(): Promise<() => Promise<void>> {
  const puller = new LanePuller({
    name: 'bench',
    store,
    log: createLog('warn', 'bench'),
    async work() {
      stopwatch.count();
      return { kind: 'done' };
    },
    restorePlaces: async () => {},
  });
  await puller.start();
  for (let bot = 1; bot <= concurrency; bot++) puller.addBot(`bot ${bot}`);
  return () => puller.close();
}

async function workRaw(): Promise<() => Promise<void>> {
  const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
  const worker = new Worker(laneQueues[lane].name, async () => stopwatch.count(), {
    ...{ connection, prefix: QUEUE_PREFIX, concurrency, removeOnComplete: { count: 0 } },
  });
  worker.on('error', (error) => console.error(error.message));
  return async () => {
    await worker.close();
    connection.disconnect();
  };
}

let leave = async () => {};
serveBench({
  async work() {
    leave = await (contestant === 'raw' ? workRaw() : pull());
    const result = await stopwatch.result;
    const left = await store.queue(laneQueues[lane].name).getWaitingCount();
    if (left > 0) throw new Error(`${left} jobs are left: others were done twice`);
    return result;
  },
  async close() {
    await leave();
    await store.close();
  },
});

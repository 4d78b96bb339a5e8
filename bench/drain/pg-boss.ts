/** pg-boss with jobs of its own: fetch one, complete it. Beside ours for information. Arguments: CONCURRENCY WARM_UP COUNT. */
import { PgBoss } from 'pg-boss';
import { serveBench } from '../lab/serve-bench.ts';
import { startStopwatch } from './stopwatch.ts';

const [concurrency = 0, warmUp = 0, count = 0] = process.argv.slice(2).map(Number);
const queue = 'orders';
const jobsAtOnce = 5_000;
const boss = new PgBoss({
  connectionString: process.env.DATABASE_URL ?? '',
  max: concurrency,
  supervise: false,
  schedule: false,
});
boss.on('error', (error: Error) => console.error(error.message));
await boss.start();
await boss.createQueue(queue);
for (let left = warmUp + count; left > 0; left -= jobsAtOnce)
  await boss.insert(
    queue,
    Array.from({ length: Math.min(left, jobsAtOnce) }, (_, n) => ({ data: { orderNumber: n } })),
  );
await boss.getDb().executeSql('ANALYZE');

async function drain(onDone: () => void): Promise<void> {
  for (;;) {
    const [job] = await boss.fetch(queue, { batchSize: 1 });
    if (!job) return;
    await boss.complete(queue, job.id);
    onDone();
  }
}

serveBench({
  async work() {
    const { count: onDone, result } = startStopwatch(warmUp, count);
    await Promise.all(Array.from({ length: concurrency }, () => drain(onDone)));
    return result;
  },
  close: () => boss.stop({ graceful: false }),
});

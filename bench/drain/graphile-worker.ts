/** graphile-worker with a task that does nothing. Beside ours for information. Arguments: CONCURRENCY WARM_UP COUNT. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { serveBench } from '../lab/serve-bench.ts';
import { startStopwatch } from './stopwatch.ts';

const [concurrency = 0, warmUp = 0, count = 0] = process.argv.slice(2).map(Number);
const jobsAtOnce = 5_000;
const connectionString = process.env.DATABASE_URL ?? '';
const logger = new Logger(() => () => undefined); // a line per job otherwise
const utils = await makeWorkerUtils({ connectionString, logger });
await utils.migrate();
for (let left = warmUp + count; left > 0; left -= jobsAtOnce) {
  const jobs = Array.from({ length: Math.min(left, jobsAtOnce) }, (_, n) => ({
    identifier: 'order',
    payload: { orderNumber: n },
  }));
  await utils.addJobs(jobs);
}
await utils.withPgClient((client) => client.query('ANALYZE'));

serveBench({
  async work() {
    const stopwatch = startStopwatch(warmUp, count);
    const taskList = { order: async () => stopwatch.count() };
    const runner = await run({
      ...{ connectionString, concurrency, taskList, logger },
      ...{ maxPoolSize: concurrency + 2, noHandleSignals: true, crontab: '' },
    });
    const result = await stopwatch.result;
    await runner.stop();
    return result;
  },
  close: async () => utils.release(),
});

import type { QueueStore } from '../queues/backend.ts';
import { type HousekeepingTask, housekeepingQueue } from '../queues/housekeeping.ts';
import type { Logger } from '../src/log.ts';
import { fetchMissedEvents } from '../src/operations/fetch-missed-events.ts';
import type { PaymentDeps } from '../src/operations/payment-deps.ts';
import { askForDueWork } from '../src/operations/payment-janitor.ts';
import { reconcilePayments } from '../src/operations/reconcile-payments.ts';
import { startJobWorker } from './job-worker.ts';
import { judgePaymentFailure } from './payments.ts';

export type HousekeepingDeps = PaymentDeps & { store: QueueStore; log: Logger; reconciliationCron: string };

const janitorEveryMs = 5_000;
const missedEventsEveryMs = 300_000;
const lookEveryMs = 5_000;

/** What is done by the clock, once for all processes: its schedules live in the queue store. */
export async function startHousekeeping(deps: HousekeepingDeps): Promise<{ close(): Promise<void> }> {
  const tasks: Record<HousekeepingTask, () => Promise<unknown>> = {
    janitor: () => askForDueWork(deps),
    'missed-events': () => fetchMissedEvents(deps),
    reconciliation: () => reconcilePayments(deps),
  };
  const work = { store: deps.store, log: deps.log, judge: judgePaymentFailure };
  const worker = startJobWorker(work, housekeepingQueue, 2, async ({ task }) => {
    await tasks[task]();
    return 'done';
  });
  let isForgotten = async () => true; // the settings may be others than those of the last start
  const keepSchedules = async () => {
    try {
      if (await isForgotten()) await schedule(deps);
      isForgotten = async () => !(await deps.store.queue(housekeepingQueue.name).getJobScheduler('janitor'));
    } catch (error) {
      deps.log.warn({ error: (error as Error).message }, 'housekeeping not scheduled');
    }
  };
  await keepSchedules();
  const timer = setInterval(() => void keepSchedules(), lookEveryMs); // a store that was wiped has forgotten them
  return {
    async close() {
      clearInterval(timer);
      await worker.close();
    },
  };
}

async function schedule({ store, reconciliationCron }: HousekeepingDeps): Promise<void> {
  const queue = store.queue(housekeepingQueue.name);
  const schedules: Record<HousekeepingTask, { every: number } | { pattern: string; tz: string }> = {
    janitor: { every: janitorEveryMs },
    'missed-events': { every: missedEventsEveryMs },
    reconciliation: { pattern: reconciliationCron, tz: 'UTC' },
  };
  for (const [task, repeat] of Object.entries(schedules))
    await queue.upsertJobScheduler(task, repeat, { name: task, data: { task } });
}

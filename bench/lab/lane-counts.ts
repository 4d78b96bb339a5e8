import type { QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { lanes } from '../../src/domain/lane.ts';
import type { Lab } from './lab.ts';
import type { LabDatabase } from './lab-database.ts';

/** Looks at the lanes from outside. */
export interface LaneCounts {
  store: QueueStore;
  /** Orders that are written and have no job yet; asked without a scan. */
  countBacklog(): Promise<number>;
  close(): Promise<void>;
}

export function openLaneCounts(lab: Lab, database: LabDatabase): LaneCounts {
  const store = lab.openStore(null);
  return {
    store,
    async countBacklog() {
      const counts = await Promise.all(lanes.map((lane) => store.queue(laneQueues[lane].name).getWaitingCount()));
      const jobs = counts.reduce((sum, count) => sum + count, 0);
      const [last] = await database.query<{ orders: string }>(
        'SELECT last_value - 1000 AS orders FROM order_number_seq',
      );
      return Math.max(0, Number(last?.orders) - jobs);
    },
    close: () => store.close(),
  };
}

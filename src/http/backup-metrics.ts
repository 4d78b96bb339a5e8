import { countBackups, findLastVerified } from '../db/backups.ts';
import type { Database } from '../db/pool.ts';
import type { GaugeMaker } from './payment-metrics.ts';

/** What could be lost, and how long it would take to be back: of the last backup that was restored to try it. */
export function measureBackups(gauge: GaugeMaker, { pool }: Database) {
  const age = gauge(
    'backup_last_verified_age_seconds',
    'Since the snapshot of the last backup that was restored to try it; absent where there is none',
  );
  const restore = gauge('backup_restore_seconds', 'How long it took to restore it');
  const duration = gauge('backup_last_duration_seconds', 'How long its snapshot and upload took');
  const bytes = gauge('backup_stored_bytes', 'How much room it takes in the store');
  const runs = gauge('backups', 'Backups by what became of them', 'state');
  return {
    gauges: [age, restore, duration, bytes, runs],
    async fill() {
      const [last, counts] = await Promise.all([findLastVerified(pool), countBackups(pool)]);
      for (const { state, count } of counts) runs.set({ state }, count);
      if (!last?.snapshotAt) return;
      age.set((Date.now() - Date.parse(last.snapshotAt)) / 1_000);
      if (last.restoreMs !== null) restore.set(last.restoreMs / 1_000);
      if (last.backupMs !== null) duration.set(last.backupMs / 1_000);
      if (last.storedBytes !== null) bytes.set(last.storedBytes);
    },
  };
}

import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** A backup that somebody asked for has a row already; one by the clock gets its row when it begins. */
export const backupQueue = defineQueue({
  name: 'backup',
  payload: z.object({ backupId: z.uuid().nullable() }),
  jobId: ({ backupId }) => `backup-${backupId ?? 'scheduled'}`,
  keepFailed: 200,
  options: { attempts: 4 },
});

import { defineQueue } from './define-queue.ts';
import { paymentJobSchema } from './payment-job.ts';

/** Looks at a payment after something was heard of it, and does the next step. */
export const paymentSyncQueue = defineQueue({
  name: 'payment-sync',
  payload: paymentJobSchema,
  jobId: ({ paymentId, syncNo }) => `sync-${paymentId}-${syncNo}`,
  keepFailed: 1_000,
  options: { attempts: 8 },
});

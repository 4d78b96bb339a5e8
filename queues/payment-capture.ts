import { defineQueue } from './define-queue.ts';
import { paymentJobSchema } from './payment-job.ts';

/** Takes the money for an order that is complete. */
export const paymentCaptureQueue = defineQueue({
  name: 'payment-capture',
  payload: paymentJobSchema,
  jobId: ({ paymentId, syncNo }) => `capture-${paymentId}-${syncNo}`,
  keepFailed: 1_000,
  options: { attempts: 8 },
});

import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** The PDF of a captured payment, and then the mail that carries it. */
export const receiptQueue = defineQueue({
  name: 'receipt',
  payload: z.object({ paymentId: z.uuid() }),
  jobId: ({ paymentId }) => `receipt-${paymentId}`,
  keepFailed: 1_000,
  options: { attempts: 12 },
});

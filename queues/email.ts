import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** One message to one customer. When it is tried again is written in its row; the job of that time does it. */
export const emailQueue = defineQueue({
  name: 'email',
  payload: z.object({ emailId: z.uuid() }),
  jobId: ({ emailId }) => `email-${emailId}`,
  keepFailed: 1_000,
  options: {},
});

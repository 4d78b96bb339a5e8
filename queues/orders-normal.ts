import { defineQueue } from './define-queue.ts';
import { orderJobId, orderJobSchema } from './order-job.ts';

/** Everybody's lane: a free bot takes from here when the VIP lane is empty. */
export const ordersNormalQueue = defineQueue({
  name: 'orders-normal',
  payload: orderJobSchema,
  jobId: orderJobId,
  keepFailed: 1_000,
  options: {},
});

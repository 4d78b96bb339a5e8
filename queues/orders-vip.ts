import { defineQueue } from './define-queue.ts';
import { orderJobId, orderJobSchema } from './order-job.ts';

/** The fast lane: a free bot takes from here first. */
export const ordersVipQueue = defineQueue({
  name: 'orders-vip',
  payload: orderJobSchema,
  jobId: orderJobId,
  keepFailed: 1_000,
  options: {},
});

import { z } from 'zod';

/** What a job of either lane carries. `enqueueNo` tells a job made anew (retry) from one that was given back. */
export const orderJobSchema = z.object({ orderNumber: z.int(), enqueueNo: z.int() });
export type OrderJob = z.infer<typeof orderJobSchema>;

export const orderJobId = ({ orderNumber, enqueueNo }: OrderJob) => `order-${orderNumber}-${enqueueNo}`;

/** Null for an id that is not an order job's: made by hand, or beyond what the database can hold. */
export function parseOrderJobId(jobId: string): OrderJob | null {
  const [, orderNumber, enqueueNo] = /^order-(\d{1,15})-(\d{1,9})$/.exec(jobId) ?? [];
  return orderNumber && enqueueNo ? { orderNumber: Number(orderNumber), enqueueNo: Number(enqueueNo) } : null;
}

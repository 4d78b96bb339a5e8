import { z } from 'zod';

/** What a job of either lane carries. `enqueueNo` tells a job made anew (retry) from one that was given back. */
export const orderJobSchema = z.object({ orderNumber: z.int(), enqueueNo: z.int() });
export type OrderJob = z.infer<typeof orderJobSchema>;

export const orderJobId = ({ orderNumber, enqueueNo }: OrderJob) => `order-${orderNumber}-${enqueueNo}`;

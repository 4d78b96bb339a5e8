import { z } from 'zod';

/** A look at a payment. `syncNo` counts the requests for one, so that a new request is never taken for one that is under way. */
export const paymentJobSchema = z.object({ paymentId: z.uuid(), syncNo: z.int() });
export type PaymentJob = z.infer<typeof paymentJobSchema>;

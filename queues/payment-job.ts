import { z } from 'zod';

/** A look at a payment. `syncNo` counts the requests for one, so that a new request is never taken for one that is under way. */
export const paymentJobSchema = z.object({
  paymentId: z.uuid(),
  syncNo: z.int(),
  /** It met a refusal; or somebody has looked, and wants it tried again. */
  isStuck: z.boolean().optional(),
});
export type PaymentJob = z.infer<typeof paymentJobSchema>;

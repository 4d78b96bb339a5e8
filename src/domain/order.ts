import { z } from 'zod';
import { laneSchema } from './lane.ts';
import { moneySchema } from './money.ts';
import { orderStatusSchema } from './order-status.ts';
import { skuSchema } from './product.ts';
import { textSchema } from './text.ts';

/** Unique and increasing in the order of acceptance, from 1001; gaps are allowed. */
export const orderNumberSchema = z.int().min(1);
export type OrderNumber = z.infer<typeof orderNumberSchema>;

export const paymentMethodSchema = z.enum(['counter', 'stripe', 'paypal']);
export type PaymentMethod = z.infer<typeof paymentMethodSchema>;

/** The body of `POST /v1/orders`. Prices are never taken from it. */
export const orderRequestSchema = z.strictObject({
  items: z
    .array(z.strictObject({ sku: skuSchema, quantity: z.int().min(1).max(1000) }))
    .min(1)
    .max(100),
  payment: z.strictObject({ method: paymentMethodSchema }),
  note: textSchema(1000).nullish(),
  customerName: textSchema(200).nullish(),
  lane: laneSchema.nullish(),
});
export type OrderRequest = z.infer<typeof orderRequestSchema>;

const timeSchema = z.iso.datetime();

export const orderSchema = z.object({
  number: orderNumberSchema,
  lane: laneSchema,
  status: orderStatusSchema,
  items: z.array(
    z.object({ sku: z.string(), name: z.string(), quantity: z.int(), unitPrice: moneySchema, total: moneySchema }),
  ),
  total: moneySchema,
  payment: z.object({
    method: paymentMethodSchema,
    status: z.string().nullable(),
    checkoutUrl: z.string().nullable(),
    reference: z.string().nullable(),
    authorisedUntil: timeSchema.nullable(),
  }),
  customerName: z.string().nullable(),
  note: z.string().nullable(),
  attempt: z.int(),
  botNumber: z.int().nullable(),
  /** How many orders will be started before this one. */
  position: z.int().nullable(),
  estimatedReadyAt: timeSchema.nullable(),
  placedAt: timeSchema,
  startedAt: timeSchema.nullable(),
  completedAt: timeSchema.nullable(),
  cancelledAt: timeSchema.nullable(),
  failureReason: z.string().nullable(),
});
export type Order = z.infer<typeof orderSchema>;

export const orderEventTypeSchema = z.enum([
  'placed',
  'started',
  'given_back',
  'completed',
  'failed',
  'retry_scheduled',
  'retried',
  'cancelled',
]);

export const orderEventSchema = z.object({
  id: z.string(),
  at: timeSchema,
  type: orderEventTypeSchema,
  actor: z.string(),
  attempt: z.int(),
  detail: z.record(z.string(), z.unknown()).nullable(),
});
export type OrderEvent = z.infer<typeof orderEventSchema>;

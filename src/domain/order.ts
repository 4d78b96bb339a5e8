import { z } from 'zod';
import { laneSchema } from './lane.ts';
import { moneySchema } from './money.ts';
import { orderStatusSchema } from './order-status.ts';
import { paymentEventTypes, paymentStatusSchema } from './payment.ts';
import { skuSchema } from './product.ts';
import { textSchema } from './text.ts';

/** Unique and increasing in the order of acceptance, from 1001; gaps are allowed. */
export const orderNumberSchema = z.int().min(1).describe('Unique and increasing, from 1001');
export type OrderNumber = z.infer<typeof orderNumberSchema>;

export const paymentMethodSchema = z
  .enum(['counter', 'stripe', 'paypal'])
  .meta({ id: 'PaymentMethod', description: 'At the counter, or online.' });
export type PaymentMethod = z.infer<typeof paymentMethodSchema>;

/** The body of `POST /v1/orders`. Prices are never taken from it. */
export const orderRequestSchema = z
  .strictObject({
    items: z
      .array(z.strictObject({ sku: skuSchema, quantity: z.int().min(1).max(1000) }))
      .min(1)
      .max(100)
      .describe('In one currency. Names and prices come from the catalogue'),
    payment: z.strictObject({ method: paymentMethodSchema }),
    note: textSchema(1000).nullish().describe('For whoever prepares it'),
    customerName: textSchema(200).nullish().describe('Whom to call when it is ready'),
    lane: laneSchema.nullish().describe('For managers alone; otherwise the role of the account decides'),
  })
  .meta({ id: 'OrderRequest', description: 'What a customer asks for.' });
export type OrderRequest = z.infer<typeof orderRequestSchema>;

const timeSchema = z.iso.datetime();

const orderItemSchema = z.object({
  sku: z.string(),
  name: z.string(),
  quantity: z.int(),
  unitPrice: moneySchema,
  total: moneySchema,
});
export type OrderItem = z.infer<typeof orderItemSchema>;

export const orderSchema = z
  .object({
    number: orderNumberSchema,
    lane: laneSchema,
    status: orderStatusSchema,
    items: z.array(orderItemSchema),
    total: moneySchema,
    payment: z
      .object({
        method: paymentMethodSchema,
        status: paymentStatusSchema.nullable(),
        checkoutUrl: z.string().nullable().describe('Where to pay, while payment is awaited'),
        reference: z.string().nullable().describe('Of the payment provider'),
        authorisedUntil: timeSchema.nullable().describe('How long the provider stands by the hold'),
      })
      .meta({ id: 'OrderPayment', description: 'At the counter, all but the method is null.' }),
    customerName: z.string().nullable(),
    note: z.string().nullable(),
    attempt: z.int().min(0).describe('How many times it was started; the fence of who works on it'),
    botNumber: z.int().nullable().describe('The bot that has it in hand, or finished it'),
    position: z
      .int()
      .min(0)
      .nullable()
      .describe('How many orders will be started before this one; null in lists and in the answer to POST'),
    estimatedReadyAt: timeSchema.nullable().describe('Null in lists and in the answer to POST'),
    placedAt: timeSchema,
    startedAt: timeSchema.nullable(),
    completedAt: timeSchema.nullable(),
    cancelledAt: timeSchema.nullable(),
    failureReason: z.string().nullable(),
  })
  .meta({ id: 'Order', description: 'What a customer asked for, and how far it is. Absent facts are null.' });
export type Order = z.infer<typeof orderSchema>;

export const orderEventTypeSchema = z
  .enum([
    'placed',
    'paid',
    'started',
    'given_back',
    'completed',
    'failed',
    'retry_scheduled',
    'retried',
    'cancelled',
    ...paymentEventTypes,
    'email_sent',
    'email_failed',
  ])
  .meta({ id: 'OrderEventType' });

export const orderEventSchema = z
  .object({
    id: z.string(),
    at: timeSchema,
    type: orderEventTypeSchema,
    actor: z.string().describe('Who moved it: `customer`, `manager`, `bot 3`, …'),
    attempt: z.int(),
    detail: z.record(z.string(), z.unknown()).nullable().describe('Facts of this type of event'),
  })
  .meta({ id: 'OrderEvent', description: 'One move in the life of an order.' });
export type OrderEvent = z.infer<typeof orderEventSchema>;

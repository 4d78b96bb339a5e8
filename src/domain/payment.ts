import { z } from 'zod';
import { moneySchema } from './money.ts';

/** Whoever takes money online. What is paid at the counter has no payment of ours. */
export const paymentProviders = ['stripe', 'paypal'] as const;
export const paymentProviderSchema = z.enum(paymentProviders);
export type PaymentProvider = z.infer<typeof paymentProviderSchema>;

export const paymentStatuses = [
  'requires_payment',
  'authorised',
  'captured',
  'partially_refunded',
  'refunded',
  'voided',
  'failed',
  'expired',
] as const;
export const paymentStatusSchema = z
  .enum(paymentStatuses)
  .meta({ id: 'PaymentStatus', description: 'Where the money of an order is.' });
export type PaymentStatus = z.infer<typeof paymentStatusSchema>;

/**
 * Every move a payment can make. A payment follows what the provider says of it, so money that turns up after we had given up
 * (`expired`, `failed`) is written down like any other; what then happens to it, the order decides.
 */
export const paymentMoves: Record<PaymentStatus, readonly PaymentStatus[]> = {
  requires_payment: ['authorised', 'captured', 'partially_refunded', 'refunded', 'failed', 'expired'],
  authorised: ['captured', 'partially_refunded', 'refunded', 'voided', 'expired', 'failed'],
  captured: ['partially_refunded', 'refunded'],
  partially_refunded: ['captured', 'refunded'], // back, when a refund fails days later
  refunded: ['captured', 'partially_refunded'],
  voided: [],
  failed: ['authorised', 'captured', 'partially_refunded', 'refunded'],
  expired: ['authorised', 'captured', 'partially_refunded', 'refunded'],
};

/** What we ask a provider to do. Written down before it is asked. */
export const paymentOperationTypes = [
  'checkout',
  'expire',
  'authorise',
  'reauthorise',
  'capture',
  'void',
  'refund',
] as const;
export const paymentOperationTypeSchema = z.enum(paymentOperationTypes);
export type PaymentOperationType = z.infer<typeof paymentOperationTypeSchema>;

/** `unknown`: it was asked, and how it ended was not heard. Reading from the provider tells. */
export const paymentOperationStates = ['requested', 'succeeded', 'failed', 'unknown'] as const;
export const paymentOperationStateSchema = z.enum(paymentOperationStates);
export type PaymentOperationState = z.infer<typeof paymentOperationStateSchema>;

/** What happened to the money of an order, for its timeline. Never renamed: people search for them. */
export const paymentEventTypes = [
  'checkout_opened',
  'payment_authorised',
  'payment_reauthorised',
  'payment_captured',
  'payment_voided',
  'payment_partially_refunded',
  'payment_refunded',
  'payment_failed',
  'payment_expired',
  'payment_quarantined',
  'payment_released',
  'payment_discarded',
  'refund_requested',
  'refund_failed',
  'provider_refused',
  'receipt_made',
] as const;
export type PaymentEventType = (typeof paymentEventTypes)[number];

export const refundSchema = z
  .object({
    id: z.uuid(),
    amount: moneySchema,
    reason: z.string().nullable(),
    status: paymentOperationStateSchema.describe('`requested` and `unknown` are on their way'),
    requestedAt: z.iso.datetime(),
  })
  .meta({ id: 'Refund', description: 'Money that goes back to a customer.' });

import type Stripe from 'stripe';
import type { ProviderMovement } from './payment-gateway.ts';
import { fromStripe } from './provider-amounts.ts';
import { allPages, type StripeClient } from './stripe-client.ts';

/**
 * Read from the account's balance, as only that says when money moved: a charge is as old as its hold, up to a month older than its
 * capture. What a hold lets go is in the lists of charges and refunds and is no movement either. The balance counts in its own
 * currency, so the amount is that of the charge or refund behind it.
 */
export async function* listStripeMovements(
  client: StripeClient,
  from: Date,
  to: Date,
): AsyncGenerator<ProviderMovement> {
  const created = { gte: Math.ceil(from.getTime() / 1_000), lt: Math.ceil(to.getTime() / 1_000) };
  for await (const transaction of allPages(client, 'Listing movements', (stripe, page) =>
    stripe.balanceTransactions.list({ created, expand: ['data.source'], ...page }),
  )) {
    const movement = movementFrom(transaction);
    if (movement) yield movement;
  }
}

function movementFrom({ source, type, created }: Stripe.BalanceTransaction): ProviderMovement | null {
  if (source === null || typeof source === 'string') return null;
  const at = new Date(created * 1_000);
  if (source.object === 'charge' && (type === 'charge' || type === 'payment')) {
    return {
      kind: 'capture',
      reference: source.id,
      relatedReference: idOf(source.payment_intent),
      paymentId: source.metadata.paymentId ?? null, // which a charge takes over from its intent
      amount: fromStripe(source.amount_captured, source.currency),
      at,
    };
  }
  if (source.object === 'refund' && (type === 'refund' || type === 'payment_refund')) {
    if (source.status === 'failed' || source.status === 'canceled') return null; // the money has come back since
    return {
      kind: 'refund',
      reference: source.id,
      relatedReference: idOf(source.payment_intent),
      paymentId: null,
      amount: fromStripe(source.amount, source.currency),
      at,
    };
  }
  return null;
}

function idOf(item: string | { id: string } | null): string | null {
  return typeof item === 'string' ? item : (item?.id ?? null);
}

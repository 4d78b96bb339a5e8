import { z } from 'zod';
import { moneySchema } from './money.ts';
import { paymentProviderSchema } from './payment.ts';

export const quarantineKindSchema = z.enum(['amount_differs', 'currency_differs', 'object_unknown', 'move_unexpected']);
export type QuarantineKind = z.infer<typeof quarantineKindSchema>;

const timeSchema = z.iso.datetime();

export const quarantineCaseSchema = z
  .object({
    id: z.uuid(),
    about: z.enum(['payment', 'event']).describe('What a provider has, or what it told us'),
    kind: quarantineKindSchema,
    provider: paymentProviderSchema,
    orderNumber: z.int().nullable(),
    eventType: z.string().nullable().describe('The provider’s name of the event'),
    expected: moneySchema.nullable(),
    found: moneySchema.nullable(),
    detail: z.string(),
    whatToDo: z.string(),
    state: z.enum(['open', 'released', 'discarded']),
    decidedBy: z.string().nullable(),
    decidedAt: timeSchema.nullable(),
    createdAt: timeSchema,
  })
  .meta({
    id: 'QuarantineCase',
    description: 'What does not agree with the ledger, and waits for somebody to decide.',
  });
export type QuarantineCaseView = z.infer<typeof quarantineCaseSchema>;

export interface QuarantineFacts {
  about: 'payment' | 'event';
  kind: string;
  state: 'open' | 'released' | 'discarded';
}

/** Why releasing makes no sense; null when it does. */
export function whyNotReleasable({ about, kind }: QuarantineFacts): string | null {
  if (about === 'event') return null;
  if (kind === 'currency_differs')
    return 'Money in another currency cannot stand for the amount of the order. Discard the case: the order is cancelled and the money goes back.';
  if (kind === 'move_unexpected')
    return 'What the provider says cannot follow from what was known, so there is nothing to accept. Look at the provider; discard the case to cancel the order and give its money back.';
  return null;
}

/** A sentence or two for whoever decides. */
export function whatToDecide(one: QuarantineFacts): string {
  if (one.state === 'released') return 'Nothing more: it was released.';
  if (one.state === 'discarded') return 'Nothing more: it was discarded.';
  if (one.about === 'payment')
    return one.kind === 'amount_differs'
      ? 'Release it to take the amount that came and go on with the order; discard it to cancel the order and give the money back. A complete order is not cancelled: refund it by hand.'
      : (whyNotReleasable(one) ?? '');
  if (one.kind === 'object_unknown')
    return 'It names a payment as this engine names them, and this engine has never had it: most likely another installation uses the same account. Discard it if that is so; release it to have the payment looked for once more.';
  return 'An event changes nothing by itself. Release it to have its payment looked at, which finds out what the provider really has; discard it to pass it over.';
}

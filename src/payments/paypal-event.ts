import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { Money } from '../domain/money.ts';
import { ProviderError, type ProviderEvent, SignatureInvalidError } from './payment-gateway.ts';
import { fromPayPal } from './provider-amounts.ts';

const amountSchema = z.object({ currency_code: z.string(), value: z.string() });

const resourceSchema = z.object({
  id: z.string().optional(),
  custom_id: z.string().optional(),
  amount: amountSchema.optional().catch(undefined), // another form in events of the old API, which are none of ours
  purchase_units: z
    .array(z.object({ custom_id: z.string().optional(), amount: amountSchema.optional() }))
    .optional()
    .catch(undefined),
  supplementary_data: z
    .object({
      related_ids: z
        .object({
          order_id: z.string().optional(),
          authorization_id: z.string().optional(),
          capture_id: z.string().optional(),
        })
        .optional(),
    })
    .optional()
    .catch(undefined),
  links: z
    .array(z.object({ rel: z.string(), href: z.string() }))
    .optional()
    .catch(undefined),
});

const eventSchema = z.object({
  id: z.string().min(1),
  event_type: z.string().min(1),
  create_time: z.string().refine((text) => !Number.isNaN(Date.parse(text))),
  resource_type: z.string().optional(),
  resource: resourceSchema.optional().catch(undefined),
});

type PayPalResource = z.infer<typeof resourceSchema>;

/** The headers that PayPal signs with. */
export interface PayPalSignature {
  transmissionId: string;
  transmissionTime: string;
  signature: string;
  certUrl: string;
  algorithm: string;
}

export function signatureOf(headers: IncomingHttpHeaders): PayPalSignature {
  const header = (name: string): string => {
    const value = headers[name];
    if (typeof value !== 'string' || value === '') throw new SignatureInvalidError(`the header ${name} is missing`);
    return value;
  };
  return {
    transmissionId: header('paypal-transmission-id'),
    transmissionTime: header('paypal-transmission-time'),
    signature: header('paypal-transmission-sig'),
    certUrl: header('paypal-cert-url'),
    algorithm: header('paypal-auth-algo'),
  };
}

/** What an event says that is known to be PayPal's. */
export function toProviderEvent(rawBody: Buffer): ProviderEvent {
  const event = eventSchema.safeParse(parse(rawBody));
  if (!event.success) throw new SignatureInvalidError('the body is no event of PayPal’s', { cause: event.error });
  const { id, event_type: type, create_time: createTime, resource_type: resourceType, resource = {} } = event.data;
  const isOrder = type.startsWith('CHECKOUT.ORDER.');
  const isRefund = resourceType === 'refund' || type === 'PAYMENT.CAPTURE.REFUNDED';
  const [unit] = resource.purchase_units ?? [];
  return {
    id,
    type,
    occurredAt: new Date(createTime),
    // A refund carries the id of its operation there.
    paymentId: isRefund ? null : ((isOrder ? unit?.custom_id : resource.custom_id) ?? null),
    references: referencesOf(resource, isRefund),
    amount: agreedAmount(type, resource),
  };
}

function parse(rawBody: Buffer): unknown {
  try {
    return JSON.parse(rawBody.toString('utf8'));
  } catch (error) {
    throw new SignatureInvalidError('the body is no JSON', { cause: error });
  }
}

/** A capture or a refund may be of less. */
function agreedAmount(type: string, resource: PayPalResource): Money | null {
  const isOrder = type === 'CHECKOUT.ORDER.APPROVED';
  if (!isOrder && type !== 'PAYMENT.AUTHORIZATION.CREATED') return null;
  const amount = isOrder ? resource.purchase_units?.[0]?.amount : resource.amount;
  try {
    return amount ? fromPayPal(amount.value, amount.currency_code) : null;
  } catch (error) {
    // Somebody else's, on the same account. One of ours is read after this, and noticed there.
    if (error instanceof ProviderError) return null;
    throw error;
  }
}

/** Not the refund itself: what it belongs to, is. */
function referencesOf(resource: PayPalResource, isRefund: boolean): string[] {
  const related = resource.supplementary_data?.related_ids;
  const parents = (resource.links ?? [])
    .filter(({ rel }) => rel === 'up')
    .map(({ href }) => /\/(?:orders|authorizations|captures)\/([^/?#]+)$/.exec(href)?.[1]);
  const references = [
    isRefund ? undefined : resource.id,
    related?.order_id,
    related?.authorization_id,
    related?.capture_id,
    ...parents,
  ];
  return [...new Set(references.filter((reference) => reference !== undefined))];
}

import { z } from 'zod';
import { wrongParameter } from './stripe-refusal.ts';

/** A form knows no numbers: everything arrives as text. */
const integer = z
  .string()
  .regex(/^-?\d+$/)
  .transform(Number)
  .pipe(z.int());
const positive = integer.pipe(z.int().min(1));
const text = z.string().max(5_000);
const flag = z.enum(['true', 'false']).transform((word) => word === 'true');
const url = z.url({ protocol: /^https?$/ });
const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/)
  .transform((code) => code.toLowerCase());
const metadata = z
  .record(z.string().max(40), z.string().max(500))
  .refine((pairs) => Object.keys(pairs).length <= 50)
  .default({});
const expand = z.array(z.string()).max(20).default([]);

/** Parameters that Stripe takes and the sandbox has no use for. */
const taken = (names: string): Record<never, z.ZodOptional<z.ZodUnknown>> =>
  Object.fromEntries(names.split(' ').map((name) => [name, z.unknown().optional()]));

export const sessionParameters = z.strictObject({
  mode: z.literal('payment'),
  line_items: z
    .array(
      z.strictObject({
        price_data: z.strictObject({
          currency,
          unit_amount: integer.pipe(z.int().min(0)),
          product_data: z.strictObject({
            name: text.min(1),
            ...taken('description images metadata tax_code unit_label'),
          }),
          ...taken('tax_behavior'),
        }),
        quantity: positive,
        ...taken('adjustable_quantity dynamic_tax_rates metadata tax_rates'),
      }),
    )
    .min(1)
    .max(100),
  payment_intent_data: z
    .strictObject({
      capture_method: z.enum(['automatic', 'automatic_async', 'manual']).default('automatic'),
      description: text.optional(),
      metadata,
      ...taken(
        'receipt_email setup_future_usage shipping statement_descriptor statement_descriptor_suffix transfer_group',
      ),
    })
    .default({ capture_method: 'automatic', metadata: {} }),
  metadata,
  client_reference_id: z.string().max(200).optional(),
  customer_email: z.email().optional(),
  expires_at: integer.optional(),
  success_url: url,
  cancel_url: url.optional(),
  expand,
  ...taken('adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types automatic_tax'),
  ...taken('billing_address_collection branding_settings consent_collection currency custom_fields custom_text'),
  ...taken('customer_creation discounts excluded_payment_method_types integration_identifier invoice_creation locale'),
  ...taken('managed_payments name_collection optional_items origin_context payment_method_configuration'),
  ...taken('payment_method_options phone_number_collection shipping_address_collection shipping_options submit_type'),
  ...taken('tax_id_collection ui_mode wallet_options'),
});
export type SessionParameters = z.output<typeof sessionParameters>;

export const expandParameters = z.strictObject({ expand });

export const captureParameters = z.strictObject({
  amount_to_capture: positive.optional(),
  final_capture: flag.optional(),
  metadata: metadata.optional(),
  expand,
  ...taken('statement_descriptor statement_descriptor_suffix'),
});

export const cancelParameters = z.strictObject({
  cancellation_reason: z.enum(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  expand,
});

export const refundParameters = z.strictObject({
  payment_intent: z.string().optional(),
  charge: z.string().optional(),
  amount: positive.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata,
  expand,
});

const range = z.strictObject({
  gt: integer.optional(),
  gte: integer.optional(),
  lt: integer.optional(),
  lte: integer.optional(),
});
const page = {
  limit: integer.pipe(z.int().min(1).max(100)).default(10),
  starting_after: z.string().optional(),
  ending_before: z.string().optional(),
  created: z.union([integer, range]).optional(),
  expand,
};
export type PageParameters = z.output<z.ZodObject<typeof page>>;

export const sessionListParameters = z.strictObject({
  ...page,
  payment_intent: z.string().optional(),
  status: z.enum(['open', 'complete', 'expired']).optional(),
});
export const intentListParameters = z.strictObject(page);
export const chargeListParameters = z.strictObject({ ...page, payment_intent: z.string().optional() });
export const refundListParameters = z.strictObject({
  ...page,
  payment_intent: z.string().optional(),
  charge: z.string().optional(),
});
export const movementListParameters = z.strictObject({
  ...page,
  type: z.string().optional(),
  currency: currency.optional(),
  source: z.string().optional(),
});
export const eventListParameters = z.strictObject({
  ...page,
  delivery_success: flag.optional(),
  type: z.string().optional(),
  types: z.array(z.string()).max(20).optional(),
});

/** Refuses the first thing that is wrong, as Stripe does. */
export function readParameters<Schema extends z.ZodType>(schema: Schema, sent: unknown): z.output<Schema> {
  const read = schema.safeParse(sent ?? {});
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const path = issue?.path ?? [];
  if (issue?.code === 'unrecognized_keys') {
    const param = paramName([...path, issue.keys[0] ?? '']);
    throw wrongParameter('parameter_unknown', param, `Received unknown parameter: ${param}`);
  }
  const param = paramName(path);
  if (isMissing(sent, path)) throw wrongParameter('parameter_missing', param, `Missing required param: ${param}.`);
  throw wrongParameter('parameter_invalid', param, `Invalid ${param}: ${issue?.message ?? 'not as it should be'}`);
}

function paramName([first, ...rest]: readonly PropertyKey[]): string {
  return String(first ?? '') + rest.map((part) => `[${String(part)}]`).join('');
}

function isMissing(sent: unknown, path: readonly PropertyKey[]): boolean {
  let value = sent;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return true;
    value = Reflect.get(value, part);
  }
  return value === undefined;
}

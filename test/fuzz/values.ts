import fc from 'fast-check';
import { sampleProducts } from '../../scripts/load-samples.ts';
import { roles } from '../../src/domain/user.ts';
import { samplePassword } from '../support/api.ts';
import type { Json, OpenApiDocument } from '../support/contract.ts';

/** Stands for something that is there when the request is sent: `@order:3`, `@session:1`. */
export const placeholder = (kind: 'order' | 'account' | 'session' | 'attempt', pick: number) => `@${kind}:${pick}`;
const placeholders = (kind: Parameters<typeof placeholder>[0]) =>
  fc.nat({ max: 40 }).map((pick) => placeholder(kind, pick));

const freshEmail = fc.uuid().map((id) => `${id}@fuzz.test`);

/** Good values of fields that mean something, by their names; by their schemas alone nothing would ever be found. */
const meaningful: Record<string, fc.Arbitrary<unknown>> = {
  sku: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...sampleProducts.map(({ sku }) => sku)) },
    { weight: 1, arbitrary: fc.constantFrom('new-espresso', 'new-lemonade', 'unicorn') },
  ),
  currency: fc.constant('EUR'),
  method: fc.oneof(
    { weight: 4, arbitrary: fc.constant('counter') },
    { arbitrary: fc.constantFrom('stripe', 'paypal'), weight: 1 },
  ),
  email: freshEmail,
  password: fc.constant(samplePassword),
  currentPassword: fc.constant(samplePassword),
  newPassword: fc.constant(samplePassword),
  role: fc.constantFrom(...roles),
  number: placeholders('order'),
  orderNumber: placeholders('order'),
  attempt: placeholders('attempt'),
  id: fc.oneof(placeholders('account'), fc.uuid()),
  refreshToken: fc.oneof(placeholders('session'), fc.base64String({ minLength: 30, maxLength: 60 })),
  wait: fc.constant('0'), // a claim that waits finds nothing more
  lastEventId: fc.constantFrom('0-0', '712-9', ''),
};

const plainText = (minLength: number, maxLength: number) =>
  fc
    .string({ unit: 'binary', minLength, maxLength: Math.max(minLength, Math.min(maxLength, 40)) })
    .map((text) => text.replaceAll('\0', '0'));

/** Imports leave the sample products alone: whatever they bring, there is something to order. */
const asNewProduct = (product: unknown) => ({ ...(product as Json), sku: `new-${(product as Json).sku}` });

/** Values that fit a schema of the document. */
export function fittingValue(document: OpenApiDocument, schema: Json, name = ''): fc.Arbitrary<unknown> {
  const known = meaningful[name];
  if (known) return known;
  if (typeof schema.$ref === 'string') {
    const noun = schema.$ref.split('/').at(-1) ?? '';
    const value = fittingValue(document, document.components.schemas[noun] ?? {}, name);
    return noun === 'ProductImport' ? value.map(asNewProduct) : value;
  }
  const forms = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
  if (forms) return fc.oneof(...forms.map((form) => fittingValue(document, form, name)));
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.type))
    return fc.oneof(...schema.type.map((type) => fittingValue(document, { ...schema, type }, name)));
  switch (schema.type) {
    case 'object':
      return fittingObject(document, schema);
    case 'array':
      return fc.array(fittingValue(document, (schema.items ?? {}) as Json), {
        minLength: Number(schema.minItems ?? 0),
        maxLength: Math.min(Number(schema.maxItems ?? 5), Math.max(5, Number(schema.minItems ?? 0))),
      });
    case 'integer':
      return fc.integer({
        min: Math.max(Number(schema.minimum ?? 0), Number.MIN_SAFE_INTEGER),
        max: Math.min(Number(schema.maximum ?? 1_000), Number.MAX_SAFE_INTEGER),
      });
    case 'number':
      return fc.double({ min: Number(schema.minimum ?? 0), max: Number(schema.maximum ?? 1_000), noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return fittingText(schema);
    default:
      return fc.jsonValue();
  }
}

function fittingObject(document: OpenApiDocument, schema: Json): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Json>);
  const required = new Set((schema.required ?? []) as string[]);
  return fc.record(Object.fromEntries(properties.map(([key, inner]) => [key, fittingValue(document, inner, key)])), {
    requiredKeys: properties.map(([key]) => key).filter((key) => required.has(key)),
  });
}

function fittingText({ format, pattern, minLength = 0, maxLength = 40 }: Json): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'email') return freshEmail;
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (typeof pattern === 'string' && !pattern.includes('\\0')) return fc.stringMatching(new RegExp(pattern));
  return plainText(Number(minLength), Number(maxLength));
}

/** Texts that a database, a terminal or a pattern stumbles over. */
export const nastyText = fc.oneof(
  fc.constantFrom('\0', 'a\0b', '\u{d800}', '\u{202e}', '\r\nx: y', '😀'.repeat(30), "'; DROP TABLE orders; --", ''),
  fc.constantFrom(255, 1_001, 10_000, 100_000).map((length) => 'x'.repeat(length)),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

/** What programs stumble over. */
export const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, false, ' ', '\u{feff}'],
    ...['__proto__', 'constructor', 'toString', 'NaN', '0x10', '1e3', '%00', '../../etc'],
    ...[-1, 0, -0, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 5e-324, Number.MAX_VALUE],
    ...[[], {}, [[]], [null], { $ne: null }, { length: 1 }],
  ),
  nastyText,
  fc.jsonValue({ maxDepth: 2 }),
);

/** Stands in a path as it is, not encoded. */
export const rawPrefix = '@raw:';
export const rawPathPart = fc
  .constantFrom(
    '%',
    '%E0%A4%A',
    '%00',
    '..',
    '%2e%2e',
    '..%2f..',
    '1001/',
    '1001;x',
    '1001%2fevents',
    '9'.repeat(101),
    '9'.repeat(5_000),
  )
  .map((text) => rawPrefix + text);

export const nastyName = fc.constantFrom(
  ...['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toJSON', '', 'extra', 'a\0b', '😀'],
  ...['price', 'role', 'id', 'userId', 'status', 'isAdmin', 'number', 'then'],
);

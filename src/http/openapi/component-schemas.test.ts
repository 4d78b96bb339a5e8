import { describe, expect, it } from 'vitest';
import { inputNames, renameReferences, tidy, usedSchemas } from './component-schemas.ts';

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

describe('tidy', () => {
  it('leaves out the limits of a double, patterns of formats and names of string keys', () => {
    expect(
      tidy({
        type: 'object',
        propertyNames: { type: 'string' },
        properties: {
          count: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          at: { type: 'string', format: 'date-time', pattern: '^x$' },
          code: { type: 'string', pattern: '^[A-Z]{3}$' },
        },
      }),
    ).toEqual({
      type: 'object',
      properties: {
        count: { type: 'integer', minimum: 0 },
        at: { type: 'string', format: 'date-time' },
        code: { type: 'string', pattern: '^[A-Z]{3}$' },
      },
    });
  });

  it('says `or null` by the type, where there is one', () => {
    const orNull = (form: object) => tidy({ anyOf: [form, { type: 'null' }], description: 'when' });
    expect(orNull({ type: 'integer', minimum: 1 })).toEqual({
      type: ['integer', 'null'],
      minimum: 1,
      description: 'when',
    });
    expect(orNull(reference('Lane'))).toEqual({ anyOf: [reference('Lane'), { type: 'null' }], description: 'when' });
    const named = { type: 'string', enum: ['vip'] }; // null would be none of its values
    expect(orNull(named)).toEqual({ anyOf: [named, { type: 'null' }], description: 'when' });
  });
});

it('gives a noun one name where it is read as it is written, and two where it is not', () => {
  const lane = { type: 'string', enum: ['vip', 'normal'] };
  const order = (of: string) => ({ type: 'object', properties: { lane: reference(of) } });
  const price = { type: 'object', properties: { amount: { type: 'integer' } }, required: ['amount'] };
  const schemas = {
    Lane: lane,
    LaneInput: lane,
    Order: { ...order('Lane'), additionalProperties: false },
    OrderInput: order('LaneInput'),
    Price: price,
    PriceInput: { ...price, required: [] },
  };
  const names = inputNames(schemas);
  expect([...names]).toEqual([
    ['LaneInput', 'Lane'],
    ['OrderInput', 'Order'],
  ]);
  expect(renameReferences([reference('OrderInput'), reference('PriceInput')], names)).toEqual([
    reference('Order'),
    reference('PriceInput'),
  ]);
});

it('keeps the schemas that are used, also by others that are', () => {
  const schemas = { Money: {}, Order: { properties: { total: reference('Money') } }, Unused: reference('Money') };
  expect(Object.keys(usedSchemas(schemas, [{ schema: reference('Order') }]))).toEqual(['Money', 'Order']);
});

import { PayPalRefusal } from './paypal-refusal.ts';

/** The fields of an object of a request; none where something else stands. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** An optional text field of a request. */
export function textOf(value: unknown, field: string, longest: number): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw PayPalRefusal.invalid('INVALID_PARAMETER_SYNTAX', field);
  if (value.length > longest) throw PayPalRefusal.invalid('INVALID_STRING_MAX_LENGTH', field);
  return value;
}

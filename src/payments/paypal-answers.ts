import { ApiError, type Money as PayPalMoney } from '@paypal/paypal-server-sdk';
import type { Money } from '../domain/money.ts';
import { ProviderError } from './payment-gateway.ts';
import { fromPayPal } from './provider-amounts.ts';

/** The SDK's types leave everything in PayPal's answers open: these say what we rely on. */
export function known<Value>(value: Value | undefined, absence: string): Value {
  if (value === undefined) throw malformed(absence);
  return value;
}

export function malformed(what: string): ProviderError {
  return new ProviderError('unknown', 'RESPONSE_MALFORMED', `PayPal answered with ${what}`);
}

export function toMoney(amount: PayPalMoney | undefined): Money {
  const { value, currencyCode } = known(amount, 'no amount');
  return fromPayPal(value, currencyCode);
}

export function toTime(text: string | undefined): Date | null {
  if (text === undefined) return null;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}

/** Null when PayPal does not know it. */
export async function orNull<Result>(response: Promise<{ result: Result }>): Promise<Result | null> {
  try {
    return (await response).result;
  } catch (error) {
    if (error instanceof ApiError && error.statusCode === 404) return null;
    throw error;
  }
}

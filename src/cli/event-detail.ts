import type { OrderEvent } from '../domain/order.ts';
import { moneyText } from './currency.ts';

/** `amount €2.40, reason cold`: what an event says beside its type, for people, amounts first. They are in the currency
 * of the order unless it says otherwise. */
export function eventDetailText(detail: OrderEvent['detail'], orderCurrency: string): string {
  if (detail === null) return '';
  const named = detail.currency;
  const currency = typeof named === 'string' && /^[A-Z]{3}$/.test(named) ? named : orderCurrency;
  const isAmount = ([key]: [string, unknown]) => key.endsWith('Minor');
  const byWeight = Object.entries(detail).toSorted((one, other) => Number(isAmount(other)) - Number(isAmount(one)));
  const said = byWeight.flatMap(([key, value]) => {
    if (value === null || value === undefined || key === 'currency') return [];
    if (isAmount([key, value]) && Number.isSafeInteger(value))
      return [`${wordsOf(key.slice(0, -'Minor'.length))} ${moneyText({ amountMinor: Number(value), currency })}`];
    return [`${wordsOf(key)} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`];
  });
  return said.join(', ');
}

/** `authorisedUntil` → `authorised until` */
const wordsOf = (key: string) => key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

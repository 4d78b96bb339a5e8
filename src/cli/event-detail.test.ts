import { expect, it } from 'vitest';
import { eventDetailText } from './event-detail.ts';

it.each([
  [null, ''],
  [{}, ''],
  [{ amountMinor: 240, currency: 'EUR', reason: 'cold' }, 'amount €2.40, reason cold'],
  [{ amountMinor: 240, currency: 'JPY', reason: null }, 'amount ¥240'],
  [{ reference: 'ch_1', amountMinor: 90 }, 'amount $0.90, reference ch_1'],
  [{ refundedMinor: 150 }, 'refunded $1.50'],
  [{ authorisedUntil: '2026-03-01T00:00:00Z' }, 'authorised until 2026-03-01T00:00:00Z'],
  [{ expected: { amountMinor: 1 }, isLate: false }, 'expected {"amountMinor":1}, is late false'],
  [{ amountMinor: 'many' }, 'amount minor many'],
  [{ amountMinor: 1, currency: 'no currency' }, 'amount $0.01'],
])('says %j as %j', (detail, text) => {
  expect(eventDetailText(detail, 'USD')).toBe(text);
});

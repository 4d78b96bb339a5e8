import { describe, expect, it } from 'vitest';
import { type ComparedMoney, judgeMoney, usualTime, whatToDo } from './reconciliation.ts';

const none = { captured: 0, refunded: 0 };
const captured = { captured: 240, refunded: 0 };
const refunded = { captured: 240, refunded: 100 };

describe('the money of a payment', () => {
  const cases: [name: string, money: Partial<ComparedMoney>, expected: unknown[]][] = [
    ['nothing moved', {}, []],
    ['both say the same', { ours: captured, books: captured, object: captured, surelyInBooks: captured }, []],
    ['the books of this time have less', { ours: refunded, books: none, object: refunded }, []],
    [
      'the refund alone is of this time',
      { ours: refunded, books: { captured: 0, refunded: 100 }, object: refunded },
      [],
    ],
    [
      'the provider has no capture',
      { ours: captured, object: none },
      [{ about: 'capture', kind: 'missing_at_provider', oursMinor: 240, theirsMinor: 0 }],
    ],
    [
      'the provider has another refund',
      { ours: refunded, object: { captured: 240, refunded: 70 } },
      [{ about: 'refund', kind: 'amount_differs', oursMinor: 100, theirsMinor: 70 }],
    ],
    [
      'the object has it, and the books that must have it do not',
      { ours: captured, books: none, object: captured, surelyInBooks: captured },
      [{ about: 'capture', kind: 'missing_at_provider', oursMinor: 240, theirsMinor: 0 }],
    ],
    [
      'the books have only a part of what must be there',
      { ours: refunded, books: { captured: 240, refunded: 40 }, object: refunded, surelyInBooks: refunded },
      [{ about: 'refund', kind: 'amount_differs', oursMinor: 100, theirsMinor: 40 }],
    ],
    [
      'the books have more given back',
      { ours: captured, books: refunded, object: captured },
      [{ about: 'refund', kind: 'amount_differs', oursMinor: 0, theirsMinor: 100 }],
    ],
    [
      'the books have a part of the capture: it is one, so that is another amount',
      { ours: captured, books: { captured: 200, refunded: 0 }, object: captured },
      [{ about: 'capture', kind: 'amount_differs', oursMinor: 240, theirsMinor: 200 }],
    ],
    [
      'nobody could be asked, and the books have what we do not know of',
      { ours: none, books: captured, object: null },
      [{ about: 'capture', kind: 'amount_differs', oursMinor: 0, theirsMinor: 240 }],
    ],
  ];
  it.each(cases)('%s', (_name, money, expected) => {
    expect(judgeMoney({ ours: none, books: none, object: none, surelyInBooks: none, ...money })).toEqual(expected);
  });
});

describe('the time that is compared', () => {
  const now = new Date('2026-03-20T04:00:00Z');
  const lagMs = 4 * 3_600_000;
  const fromOf = (facts: { lastGoodTo?: string; oldestOpen?: string }) =>
    usualTime({
      now,
      lagMs,
      lastGoodTo: facts.lastGoodTo ? new Date(facts.lastGoodTo) : null,
      oldestOpen: facts.oldestOpen ? new Date(facts.oldestOpen) : null,
    });

  it('is two days, up to where the books are complete', () => {
    expect(fromOf({})).toEqual({ from: new Date('2026-03-18T00:00:00Z'), to: new Date('2026-03-20T00:00:00Z') });
    expect(fromOf({ lastGoodTo: '2026-03-19T00:00:00Z' }).from).toEqual(new Date('2026-03-18T00:00:00Z'));
  });
  it('reaches back over days without a good run, and to what is open, but not for ever', () => {
    expect(fromOf({ lastGoodTo: '2026-03-10T12:00:00Z' }).from).toEqual(new Date('2026-03-10T11:00:00Z'));
    expect(fromOf({ lastGoodTo: '2025-01-01T00:00:00Z' }).from).toEqual(new Date('2026-02-17T00:00:00Z'));
    expect(fromOf({ oldestOpen: '2026-03-15T12:00:00Z' }).from).toEqual(new Date('2026-03-15T11:00:00Z'));
    expect(fromOf({ oldestOpen: '2026-01-01T00:00:00Z' }).from).toEqual(new Date('2026-03-13T00:00:00Z'));
  });
});

describe('what to do about a difference', () => {
  const facts = {
    provider: 'stripe',
    orderNumber: 1042,
    reference: 'ch_1',
    ours: { amountMinor: 330, currency: 'EUR' },
    theirs: null,
    detail: 'declined, card_declined: no',
  } as const;

  it.each([
    ['capture_overdue', 'capture'],
    ['hold_not_released', 'hold'],
    ['money_not_returned', 'refund'],
    ['operation_stuck', 'void'],
  ] as const)('names the call that tries once more, of %s', (kind, about) => {
    const text = whatToDo({ ...facts, kind, about });
    expect(text).toContain('npx twolane payments retry 1042');
    expect(text).not.toMatch(/\.\./);
  });

  it('says amounts as people write them', () => {
    expect(whatToDo({ ...facts, kind: 'capture_overdue', about: 'capture' })).toContain('3.30 EUR');
  });
});

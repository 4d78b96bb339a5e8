import type { SearchResponse } from '@paypal/paypal-server-sdk';
import { describe, expect, it } from 'vitest';
import { ProviderError } from './payment-gateway.ts';
import { listPayPalMovements, type PayPalMovement, type TransactionQuery } from './paypal-movements.ts';

const from = new Date('2026-01-01T00:00:00Z');
const day = 86_400_000;

function transaction(id: string, code: string, value: string, changed: object = {}) {
  return {
    transactionInfo: {
      transactionId: id,
      transactionEventCode: code,
      transactionStatus: 'S',
      transactionInitiationDate: '2026-01-02T03:04:05+0000',
      transactionAmount: { currencyCode: 'EUR', value },
      ...changed,
    },
  };
}

function daysLater(days: number): Date {
  return new Date(from.getTime() + days * day);
}

async function listed(
  search: (query: TransactionQuery) => Promise<SearchResponse>,
  days: number,
): Promise<PayPalMovement[]> {
  const movements: PayPalMovement[] = [];
  for await (const movement of listPayPalMovements(search, from, daysLater(days))) movements.push(movement);
  return movements;
}

describe('PayPal’s books', () => {
  it('are read in windows of at most 31 days and in pages, each transaction once', async () => {
    const queries: TransactionQuery[] = [];
    const search = async (query: TransactionQuery): Promise<SearchResponse> => {
      queries.push(query);
      const id = `${query.startDate} ${query.page}`;
      // One on the border of two windows comes in both.
      return {
        transactionDetails: [transaction(id, 'T0006', '5.00'), transaction('border', 'T0006', '5.00')],
        totalPages: 2,
      };
    };
    const movements = await listed(search, 70);
    expect(queries.map(({ startDate, endDate, page }) => [startDate, endDate, page])).toEqual(
      [
        [0, 31],
        [31, 62],
        [62, 70],
      ].flatMap(([start = 0, end = 0]) =>
        [1, 2].map((page) => [daysLater(start).toISOString(), daysLater(end).toISOString(), page]),
      ),
    );
    expect(movements).toHaveLength(7);
  });

  it('are read by halves where they are too large', async () => {
    const windows: number[] = [];
    const search = async ({ startDate, endDate }: TransactionQuery): Promise<SearchResponse> => {
      const days = (Date.parse(endDate) - Date.parse(startDate)) / day;
      if (days > 4) throw new ProviderError('refused', 'RESULTSET_TOO_LARGE', 'too many');
      windows.push(days);
      return { transactionDetails: [transaction(startDate, 'T0006', '1.00')] };
    };
    await expect(listed(search, 8)).resolves.toHaveLength(2);
    expect(windows).toEqual([4, 4]);
  });

  it('are given up where even a minute is too large', async () => {
    const search = () => Promise.reject(new ProviderError('refused', 'RESULTSET_TOO_LARGE', 'too many'));
    await expect(listed(search, 1)).rejects.toThrow('too many');
  });

  it('tell what was taken and given back, and nothing else', async () => {
    const search = async (): Promise<SearchResponse> => ({
      transactionDetails: [
        transaction('taken', 'T0006', '12.50', { customField: 'payment-1' }),
        transaction('taken and all given back', 'T0006', '12.50', { transactionStatus: 'V' }),
        transaction('given back', 'T1107', '-2.50', { paypalReferenceId: 'taken', customField: 'operation-1' }),
        transaction('taken back', 'T1106', '-1.00'),
        transaction('pending', 'T0006', '12.50', { transactionStatus: 'P' }),
        transaction('denied', 'T0006', '12.50', { transactionStatus: 'D' }),
        transaction('paid by the shop', 'T0000', '-9.00'),
        transaction('a hold', 'T1300', '12.50'),
        transaction('a payout', 'T0400', '-100.00'),
        {},
      ],
    });
    const movements = await listed(search, 1);
    const at = new Date('2026-01-02T03:04:05Z');
    expect(movements.slice(0, 3)).toEqual([
      {
        kind: 'capture',
        reference: 'taken',
        relatedReference: null,
        customId: 'payment-1',
        amount: { amountMinor: 1250, currency: 'EUR' },
        at,
      },
      {
        kind: 'capture',
        reference: 'taken and all given back',
        relatedReference: null,
        customId: null,
        amount: { amountMinor: 1250, currency: 'EUR' },
        at,
      },
      {
        kind: 'refund',
        reference: 'given back',
        relatedReference: 'taken',
        customId: 'operation-1',
        amount: { amountMinor: 250, currency: 'EUR' },
        at,
      },
    ]);
    expect(movements.slice(3).map(({ reference }) => reference)).toEqual(['taken back']);
  });
});

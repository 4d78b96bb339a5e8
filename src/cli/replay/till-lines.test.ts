import { describe, expect, it } from 'vitest';
import { readTillHeading, readTillLine } from './till-lines.ts';

const heading = 'placed_at,order_ref,customer,lane,sku,quantity,unit_price';
const good = '2026-03-07 08:14,17,Ana,vip,espresso,2,2.40';

describe('readTillHeading', () => {
  it('takes the columns in any order, with others between them, and any usual delimiter', () => {
    const format = readTillHeading('SKU; quantity ;till;placed_at;lane;order_ref;unit_price');
    expect(readTillLine('espresso;2;till 3;2026-03-07 08:14;NORMAL;17;2,40', 5, format)).toMatchObject({
      line: 5,
      orderRef: '17',
      customer: null,
      lane: 'normal',
      sku: 'espresso',
      quantity: 2,
      unitPrice: '2.40',
    });
  });

  it('names what is missing', () => {
    expect(() => readTillHeading('placed_at,order_ref,sku')).toThrow(/lane, quantity missing/);
    expect(() => readTillHeading(`${heading},lane`)).toThrow(/lane twice/);
  });
});

describe('readTillLine', () => {
  const format = readTillHeading(heading);
  const read = (text: string) => readTillLine(text, 2, format);

  it('reads a line', () => {
    expect(read(good)).toEqual({
      line: 2,
      placedAt: { atMs: Date.UTC(2026, 2, 7, 8, 14), offsetMinutes: null },
      orderRef: '17',
      customer: 'Ana',
      lane: 'vip',
      sku: 'espresso',
      quantity: 2,
      unitPrice: '2.40',
    });
  });

  it('reads quoted cells, with delimiters and quotes in them', () => {
    expect(read(good.replace('Ana', '"Ana ""Bee"", table 4"'))).toMatchObject({ customer: 'Ana "Bee", table 4' });
    expect(read(good.replace('Ana', 'Ana "Bee"'))).toMatchObject({ customer: 'Ana "Bee"' });
  });

  it.each([
    [good.replace('2026-03-07', '07/03/2026'), /placed_at is no time/],
    [good.replace('17', ''), /order_ref is empty/],
    [good.replace('vip', 'gold'), /lane is neither/],
    [good.replace('espresso', ''), /sku/],
    [good.replace(',2,', ',0,'), /quantity/],
    [good.replace(',2,', ',-1,'), /quantity is no whole number/],
    [good.replace(',2,', ',1.5,'), /quantity is no whole number/],
    [good.replace(',2,', ',1000000000,'), /quantity/],
    [good.replace('2.40', '€2.40'), /unit_price is no price/],
    [good.replace('2.40', '1.234.50'), /unit_price is no price/],
    [good.replace('Ana', '"Ana'), /quote/],
    [`${good},extra`, /8 columns instead of 7/],
    ['total of the day', /1 columns instead of 7/],
  ])('refuses %j', (text, reason) => expect(read(text)).toEqual({ line: 2, reason: expect.stringMatching(reason) }));
});

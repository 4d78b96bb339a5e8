import { describe, expect, it } from 'vitest';
import { addressOf, isolated, languageOf, oneLine, shopFormat } from './shop-format.ts';

const nbsp = '\u00a0';

describe('shopFormat', () => {
  it.each([
    ['en-GB', { amountMinor: 1250, currency: 'EUR' }, '€12.50'],
    ['de-DE', { amountMinor: 1250, currency: 'EUR' }, `12,50${nbsp}€`],
    ['fr-FR', { amountMinor: 123456, currency: 'EUR' }, `1${nbsp}234,56${nbsp}€`],
    ['ja-JP', { amountMinor: 1250, currency: 'JPY' }, '¥1,250'],
    ['en-GB', { amountMinor: 1250, currency: 'KWD' }, `KWD${nbsp}1.250`],
    ['en-GB', { amountMinor: -5, currency: 'GBP' }, '-£0.05'],
    ['hu-HU', { amountMinor: 125_000, currency: 'HUF' }, `1250,00${nbsp}Ft`],
    ['en-GB', { amountMinor: Number.MAX_SAFE_INTEGER, currency: 'GBP' }, '£90,071,992,547,409.91'],
  ])('writes money in %s: %o', (locale, money, text) => {
    expect(shopFormat({ locale, timeZone: 'UTC' }).money(money).replace('￥', '¥')).toBe(text);
  });

  it('writes money in digits that everybody reads, without hidden marks', () => {
    const text = shopFormat({ locale: 'ar-EG', timeZone: 'UTC' }).money({ amountMinor: 1250, currency: 'EGP' });
    expect(text).toContain('12.50');
    expect(text).not.toMatch(/\p{Bidi_Control}/u);
  });

  it("tells the time on the shop's clock", () => {
    const at = new Date('2026-07-01T22:30:00Z');
    expect(shopFormat({ locale: 'en-GB', timeZone: 'Europe/Berlin' }).moment(at)).toBe('2 Jul 2026, 00:30');
    expect(shopFormat({ locale: 'de-DE', timeZone: 'UTC' }).moment(at)).toBe('01.07.2026, 22:30');
    expect(shopFormat({ locale: 'fa-IR', timeZone: 'UTC' }).moment(at)).toContain('2026');
  });

  it('writes percent with the comma of the locale', () => {
    expect(shopFormat({ locale: 'de-DE', timeZone: 'UTC' }).percent(8.1)).toBe('8,1');
  });
});

it('puts a name on one line, with nothing unseen in it that reorders the rest', () => {
  expect(oneLine('  First\r\nBcc: x@y.example\u2028\tthird\u202e  ')).toBe('First Bcc: x@y.example third');
  expect(oneLine('cafe\u0301')).toBe('café');
  expect(oneLine('broken \ud800 half')).toBe('broken \ufffd half');
});

it('sets right-to-left names apart, and no others', () => {
  expect(isolated('יעל')).toBe('\u2068יעל\u2069');
  expect(isolated('Ada')).toBe('Ada');
});

it('calls its language English, of the region where that is English', () => {
  expect(languageOf({ locale: 'en-GB' })).toBe('en-GB');
  expect(languageOf({ locale: 'de-DE' })).toBe('en');
});

it('finds the address in what a header has', () => {
  expect(addressOf('The Shop <orders@shop.example>')).toBe('orders@shop.example');
  expect(addressOf('orders@shop.example')).toBe('orders@shop.example');
});

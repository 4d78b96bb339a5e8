import { isIP } from 'node:net';
import { z } from 'zod';

export const count = (from: number, to: number) => {
  const error = `takes a whole number from ${from} to ${to}`;
  return z.coerce.number({ error }).int({ error }).min(from, { error }).max(to, { error });
};
export const port = count(0, 65_535);
export const oneOf = <const Word extends string>(...words: Word[]) =>
  z.enum(words, { error: `takes one of ${words.join(', ')}` });
export const atLeast = (length: number) =>
  z.string().min(length, `takes at least ${length} character${length === 1 ? '' : 's'}`);

/** `250`, `250ms`, `15s`, `3m`, `15m`, `30d` → milliseconds. */
export const durationMs = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)?$/, 'takes a duration such as 10s, 15m or 30d')
  .transform((text) => {
    const unit = /[a-z]+$/.exec(text)?.[0] ?? 'ms';
    const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 1;
    return Number.parseInt(text, 10) * factor;
  });

/** A duration between two of them, told as they are written. */
export const durationWithin = (from: string, to: string) =>
  durationMs.refine((ms) => ms >= durationMs.parse(from) && ms <= durationMs.parse(to), `takes ${from} to ${to}`);

export const list = z.string().transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''));

/** Several, set apart by commas. */
export const byCommas = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** The first signs, all are believed. */
export const secrets = byCommas.refine((given) => given.length > 0 && given.every((secret) => secret.length >= 32), {
  error: 'takes secrets of at least 32 characters each (several by commas), such as `openssl rand -hex 32` gives',
});

export const flag = oneOf('true', 'false').transform((text) => text === 'true');

/** `false`, the number of proxies in front, or their addresses and networks. */
export const trustProxy = z.string().transform((text, context) => {
  if (text === 'false') return false;
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const networks = list.parse(text);
  if (networks.length > 0 && networks.every(isNetwork)) return networks;
  context.addIssue(
    'takes false, the number of proxies in front, or their addresses and networks (10.0.0.0/8, loopback)',
  );
  return z.NEVER;
});

function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  return version !== 0 && isPrefix && Number(bits ?? 1) > 0 && rest.length === 0;
}

export const webAddress = z.url({ protocol: /^https?$/, error: 'takes an address such as https://shop.example' });

/** As a browser sends it: the scheme, the host and perhaps a port; no path, and no pattern. */
export const isOrigin = (text: string) =>
  text === '*' || (/^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text);

const cronFields: readonly { from: number; to: number; names: readonly string[] }[] = [
  { from: 0, to: 59, names: [] },
  { from: 0, to: 23, names: [] },
  { from: 1, to: 31, names: [] },
  { from: 1, to: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  { from: 0, to: 7, names: 'sun mon tue wed thu fri sat'.split(' ') },
];
/** As a weekday it is 0, too. */
const sunday = 7;
const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Minute, hour, day, month, weekday: numbers, names, `*`, ranges, steps and lists of these, and a day that some month has. */
export const cronTimes = z.string().refine((text) => {
  const fields = text.trim().split(/\s+/);
  const values = cronFields.map((limits, index) => cronValues(fields[index] ?? '', limits));
  const [, , days = [], months = []] = values;
  const hasDay = months.some((month) => days.some((day) => day <= (daysOfMonth[month - 1] ?? 0)));
  return fields.length === cronFields.length && values.every(({ length }) => length > 0) && hasDay;
}, 'takes five fields: minute hour day month weekday, such as 15 4 * * *');

/** All values of a field; none when it is no field. */
function cronValues(field: string, { from, to, names }: (typeof cronFields)[number]): number[] {
  const numberOf = (word: string) => {
    const named = names.indexOf(word.toLowerCase());
    return named >= 0 ? named + from : /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN;
  };
  const values = field.split(',').map((part) => {
    const [range = '', step = '1', ...rest] = part.split('/');
    const [first = '', last, ...more] = range.split('-');
    const low = range === '*' ? from : numberOf(first);
    const isToTheEnd = last === undefined && part.includes('/'); // `5/15`: from 5 on, every 15
    const end = range === '*' && to === sunday ? sunday - 1 : to;
    const high = range === '*' || isToTheEnd ? end : numberOf(last ?? first);
    const isRange = rest.length + more.length === 0 && low >= from && high <= to && low <= high;
    if (!isRange || !/^[1-9]\d?$/.test(step)) return [];
    return Array.from({ length: high - low + 1 }, (_, index) => low + index).filter(
      (value) => (value - low) % Number(step) === 0,
    );
  });
  const all = values.flat().map((value) => (to === sunday ? value % sunday : value));
  const isWhole = values.every(({ length }) => length > 0) && new Set(all).size === all.length; // who schedules it takes none twice
  return isWhole ? all : [];
}

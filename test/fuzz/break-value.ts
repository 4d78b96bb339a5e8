import fc from 'fast-check';
import { nastyName, nastyText, nastyValue } from './values.ts';

/** One change to a value that was good: where, counted over all its places, and what. */
export type Break =
  | { kind: 'replace'; place: number; by: unknown }
  | { kind: 'spoil'; place: number; by: string }
  | { kind: 'remove'; place: number }
  | { kind: 'add'; place: number; name: string; by: unknown }
  | { kind: 'repeat'; place: number; times: number };

export const anyBreak: fc.Arbitrary<Break> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('spoil' as const), place: fc.nat({ max: 30 }), by: nastyText }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('replace' as const), place: fc.nat({ max: 30 }), by: nastyValue }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), place: fc.nat({ max: 30 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      place: fc.nat({ max: 10 }),
      name: nastyName,
      by: nastyValue,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('repeat' as const),
      place: fc.nat({ max: 10 }),
      times: fc.constantFrom(2, 101, 5_001),
    }),
  },
);

type Holder = { [key: string]: unknown } | unknown[];
interface Place {
  holder: Holder;
  key: string;
}

/** The value with one change; another one is not touched. */
export function breakValue(value: unknown, change: Break): unknown {
  const root = { value: structuredClone(value) };
  const places = placesIn(root);
  const holders = [...new Set(places.map(({ holder, key }) => (holder as Record<string, unknown>)[key]))].filter(
    isHolder,
  );
  if (change.kind === 'add') {
    const holder = holders[change.place % Math.max(1, holders.length)];
    if (Array.isArray(holder)) holder.push(change.by);
    else if (holder) define(holder, change.name, change.by);
    return root.value;
  }
  if (change.kind === 'repeat') {
    const lists = holders.filter(Array.isArray);
    const list = lists[change.place % Math.max(1, lists.length)];
    if (list) list.push(...Array.from({ length: change.times - list.length }, () => list[0]));
    return root.value;
  }
  const texts = places.filter(isText);
  const wanted = change.kind === 'spoil' && texts.length > 0 ? texts : places;
  const { holder, key } = wanted[change.place % wanted.length] as Place; // the root is always one
  if (change.kind !== 'remove') define(holder, key, change.by);
  else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
  return root.value;
}

export const countTexts = (value: unknown): number => placesIn({ value }).filter(isText).length;

const isText = ({ holder, key }: Place) => typeof (holder as Record<string, unknown>)[key] === 'string';

function placesIn(holder: Holder): Place[] {
  return Object.entries(holder).flatMap(([key, inner]) => [
    { holder, key },
    ...(isHolder(inner) ? placesIn(inner) : []),
  ]);
}

const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;

/** Also under `__proto__`, which an assignment would not make a field of its own. */
function define(holder: Holder, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

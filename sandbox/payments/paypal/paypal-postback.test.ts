import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rawFieldOf, readJson } from './paypal-postback.ts';

it('finds the very text of a field, whatever stands around and inside it', () => {
  const spaces = fc.constantFrom('', ' ', '\n  ', '\t');
  const fields = fc.dictionary(
    fc.string().filter((name) => name !== '__proto__'),
    fc.jsonValue(),
    { maxKeys: 4 },
  );
  fc.assert(
    fc.property(
      fields,
      fc.jsonValue(),
      fields,
      fc.constantFrom(0, 1, 3),
      spaces,
      (before, event, after, indent, space) => {
        const raw = JSON.stringify(event, null, indent);
        const written = (name: string, value: string) =>
          `${space}${JSON.stringify(name)}${space}:${space}${value}${space}`;
        const members = [
          ...Object.entries(before).map(([name, value]) => written(`a${name}`, JSON.stringify(value))),
          written('webhook_event', raw),
          ...Object.entries(after).map(([name, value]) => written(`a${name}`, JSON.stringify(value))),
        ];
        expect(rawFieldOf(`${space}{${members.join(',')}}`, 'webhook_event')).toBe(raw);
      },
    ),
  );
});

it('finds nothing where there is nothing', () => {
  expect(rawFieldOf('{"a":{"webhook_event":1}}', 'webhook_event')).toBeNull();
  expect(rawFieldOf('{}', 'webhook_event')).toBeNull();
});

it('takes an empty body for one that says nothing, and refuses half of one', () => {
  expect(readJson('').value).toEqual({});
  expect(() => readJson('{"a":')).toThrow('MALFORMED_REQUEST_JSON');
});

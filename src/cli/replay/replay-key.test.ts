import { expect, it } from 'vitest';
import { replayKey } from './replay-key.ts';

const hash = 'ab'.repeat(32);

it('is the same for the same order of the same file, and another for anything else', () => {
  const keys = [
    replayKey(hash, '17'),
    replayKey(hash, '18'),
    replayKey('cd'.repeat(32), '17'),
    replayKey(hash, '17', 'b'),
    replayKey(hash, 'b-17'),
  ];
  expect(replayKey(hash, '17')).toBe(keys[0]);
  expect(new Set(keys).size).toBe(keys.length);
});

it('fits into a header, whatever the till calls its orders', () => {
  for (const orderRef of ['Tisch 4 / ö\n', '\ud800', '茶'.repeat(500)]) {
    expect(replayKey(hash, orderRef)).toMatch(/^[\x21-\x7e]{1,200}$/);
  }
});

import { expect, it } from 'vitest';
// @ts-expect-error: the page is plain JavaScript, without types
import { createServerClock } from './server-clock.js';

const at = (ms: number) => new Date(ms).toISOString();

it('begins a countdown with its whole time, also after a snapshot that was old when it came', () => {
  let localMs = 50_000;
  const clock = createServerClock(() => localMs);
  clock.set(at(99_000)); // made a second ago: it is 100 s there
  localMs += 2_000;
  clock.heard(at(101_990));
  expect(clock.now()).toBe(101_990);
  localMs += 500;
  clock.heard(at(102_100)); // late on its way: nothing to learn from it
  expect(clock.now()).toBe(102_490);
});

it('follows a clock that was set back, with the next snapshot', () => {
  const clock = createServerClock(() => 50_000);
  clock.set(at(100_000));
  clock.set(at(40_000));
  expect(clock.now()).toBe(40_000);
});

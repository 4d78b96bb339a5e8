import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { barText, fitLine, LiveRegion, sparkText } from './live-region.ts';
import { type Output, paint, printable } from './terminal.ts';

it('lets no name from outside steer the terminal', () => {
  expect(printable('Ana\u001b[2J\u001b]0;pwned\u0007\r\n\u202eeve\u0000')).toBe('Ana eve ');
  expect(printable('Zoë 茶 🥐')).toBe('Zoë 茶 🥐');
});

it('paints for people alone', () => {
  const output: Output = new PassThrough();
  expect(paint(output, 'red', 'no')).toBe('no');
});

it('cuts lines to the width by what is seen, colours not counted', () => {
  expect(fitLine('\u001b[31mespresso\u001b[39m', 8)).toBe('\u001b[31mespresso\u001b[39m');
  expect(fitLine('\u001b[31mespresso\u001b[39m', 5)).toBe('\u001b[31mespr\u001b[39m…');
});

it('draws over its last picture, however tall that was', () => {
  const output = Object.assign(new PassThrough(), { columns: 20, rows: 4 });
  const region = new LiveRegion(output);
  region.draw(['one', 'two', 'three', 'four', 'five']);
  region.draw(['six']);
  expect(String(output.read())).toBe('\u001b[?25lone\ntwo\nthree\n\u001b[?25l\u001b[3A\r\u001b[Jsix\n');
});

it('draws bars and sparklines', () => {
  expect(barText(0.5, 4)).toBe('██░░');
  expect(barText(0.53, 4)).toBe('██▏░');
  expect(barText(7, 4)).toBe('████');
  expect(sparkText([0, 1, 2, 4])).toBe('▁▃▅█');
  expect(sparkText([0, 0])).toBe('▁▁');
});

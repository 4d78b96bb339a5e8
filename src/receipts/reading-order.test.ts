import { expect, it } from 'vitest';
import { readingOrder } from './reading-order.ts';

const onPaper = (line: string) => readingOrder(line).map(({ text }) => text);

it.each([
  ['left to right, it is one piece', 'Tea with milk (2)', ['Tea with milk (2)']],
  ['right to left, the first word is the rightmost', 'קפה הפוך', ['הפוך', ' ', 'קפה']],
  ['brackets face the other way', 'קפה (גדול)', [')גדול(', ' ', 'קפה']],
  ['within a line from left to right', 'Tea שלום כיתה tea', ['Tea', ' ', 'כיתה', ' ', 'שלום', ' ', 'tea']],
  [
    'a word from left to right in one from right to left',
    'קפה Flat White גדול',
    ['גדול', ' ', 'Flat', ' ', 'White', ' ', 'קפה'],
  ],
  ['nothing', '', []],
])('%s', (_, line, pieces) => {
  expect(onPaper(line)).toEqual(pieces);
});

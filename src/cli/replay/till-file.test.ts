import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readTillFile } from './till-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'till-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string | Buffer) {
  const file = path.join(folder, 'day.csv');
  await writeFile(file, text);
  return await readTillFile(file);
}

const heading = 'placed_at,order_ref,customer,lane,sku,quantity,unit_price';
const good = '2026-03-07 08:14,17,Ana,vip,espresso,2,2.40';

it('reads a file with BOM and CRLF, and names refused lines as an editor does', async () => {
  const lines = [
    heading,
    good,
    '',
    good.replace(',2,', ',none,'),
    good.replace('Ana', '"Ana'),
    good.replace('17', '18'),
    ',,,,,,',
  ];
  const file = await read(`\uFEFF${lines.join('\r\n')}\r\n`);
  expect(file.lines.map(({ line, orderRef }) => [line, orderRef])).toEqual([
    [2, '17'],
    [6, '18'],
  ]);
  expect(file.refused).toEqual([
    { line: 4, reason: 'quantity is no whole number: "none"' },
    { line: 5, reason: 'a quote is opened and not closed' },
  ]);
});

it('gives the same hash for the same bytes alone', async () => {
  const { hash } = await read(`${heading}\n${good}\n`);
  expect((await read(`${heading}\n${good}\n`)).hash).toBe(hash);
  expect((await read(`${heading}\n${good.replace('2.40', '2.41')}\n`)).hash).not.toBe(hash);
});

it('says what is wrong with a file that is none', async () => {
  await expect(read('')).rejects.toThrow(/is empty/);
  await expect(readTillFile(path.join(folder, 'missing.csv'))).rejects.toThrow(/cannot be read/);
  await expect(read(Buffer.from(heading, 'utf16le'))).rejects.toThrow(/heading/);
});

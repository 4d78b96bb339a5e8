import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readProductFile } from './product-file.ts';
import { batchesOf } from './send-products.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'product-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string | Buffer) {
  const file = path.join(folder, 'products.csv');
  await writeFile(file, text);
  return await readProductFile(file);
}

/** What is wrong where, in short. */
async function faultsOf(...lines: string[]) {
  const { refused } = await read(lines.join('\n'));
  return refused.map(({ line, faults }) => [
    line,
    ...faults.map(({ column, problem }) => `${column ?? 'line'} ${problem}`),
  ]);
}

const heading = 'sku,name,price,currency';
const all = `${heading},description,imageUrl,soundUrl,isAvailable`;

describe('readProductFile', () => {
  it('reads every column, in any order and spelling, with BOM, CRLF, semicolons and empty lines', async () => {
    const lines = [
      'Name; price ;CURRENCY;sku;Image URL;is_available;sound-url;description',
      '',
      '"Tea, green";3,20;eur;green-tea;/media/tea.svg;NO;https://shop.example/tea.wav;"Sencha ""first flush"""',
      ';;;;;;;',
      'Cake;4;EUR;cake;;;;',
    ];
    const file = await read(`\uFEFF${lines.join('\r\n')}\r\n`);
    expect(file).toEqual({
      products: [
        {
          line: 3,
          product: {
            sku: 'green-tea',
            name: 'Tea, green',
            price: { amountMinor: 320, currency: 'EUR' },
            description: 'Sencha "first flush"',
            imageUrl: '/media/tea.svg',
            soundUrl: 'https://shop.example/tea.wav',
            isAvailable: false,
          },
        },
        { line: 5, product: { sku: 'cake', name: 'Cake', price: { amountMinor: 400, currency: 'EUR' } } },
      ],
      refused: [],
      passedOver: [],
    });
  });

  it('says of each line everything that is wrong with it', async () => {
    const long = 'x'.repeat(65);
    expect(
      await faultsOf(
        all,
        'a,A,free,EUR,,,,',
        ',,1,EURO,,,,maybe',
        `${long},A,1,EUR,,javascript:alert(1),//elsewhere/x.wav,`,
        'b,B,1',
        'c,C,1000000.01,EUR,,,,',
        'd,D,1.5,JPY,,,,',
        'e,E,0,EUR,,,,true',
      ),
    ).toEqual([
      [2, 'price is "free"'],
      [3, 'currency is "EURO"', 'isAvailable is "maybe"', 'sku is empty', 'name is empty'],
      [4, `sku is "${'x'.repeat(40)}…"`, 'imageUrl is "javascript:alert(1)"', 'soundUrl is "//elsewhere/x.wav"'],
      [5, 'line the line has 3 columns'],
      [6, 'price is "1000000.01"'],
      [7, 'price is "1.5"'],
    ]);
  });

  it('refuses a sku at its second line, but not when its first was refused', async () => {
    expect(await faultsOf(heading, 'a,A,1,EUR', 'b,B,1,EUR', 'a,A again,2,EUR', 'c,C,no,EUR', 'c,C,1,EUR')).toEqual([
      [4, 'sku is "a", as in line 2'],
      [5, 'price is "no"'],
    ]);
  });

  it('lets a quoted cell go on over lines, and counts lines as an editor does', async () => {
    const { products, refused } = await read(
      `${heading},description\r\na,A,1,EUR,"one\r\n\r\ntwo, ""three"""\r\nb,B,x,EUR,\r\n`,
    );
    expect(products).toMatchObject([{ line: 2, product: { description: 'one\n\ntwo, "three"' } }]);
    expect(refused).toMatchObject([{ line: 5 }]);
  });

  it('loses one line to a quote that is never closed, not the rest', async () => {
    const lines = [
      `${heading},description`,
      'a,A,1,EUR,"never closed',
      'b,B,1,EUR,"closed"',
      'c,"C,1,EUR,',
      '"d",D,1,EUR,12" wide',
      'e,"E,1,EUR,',
      'f-12",F,1,EUR,',
      'g,G,1,EUR,"at the end',
    ];
    expect(await faultsOf(...lines)).toEqual(
      [2, 4, 6, 8].map((line) => [line, 'line a quote is opened and not closed']),
    );
    expect((await read(lines.join('\n'))).products.map(({ product }) => product.sku)).toEqual(['b', 'd', 'f-12"']);
  });

  it('names columns that mean nothing here', async () => {
    expect((await read(`${heading},descripton,colour\na,A,1,EUR,x,red`)).passedOver).toEqual(['descripton', 'colour']);
  });

  it('says what is wrong with a file that is none', async () => {
    await expect(read('')).rejects.toThrow(/is empty/);
    await expect(read('sku,name\na,A')).rejects.toThrow(/price, currency missing/);
    await expect(read(`${heading},SKU\n`)).rejects.toThrow(/sku twice/);
    await expect(read(Buffer.from(`${heading}\na,Caf\u00e9,1,EUR`, 'latin1'))).rejects.toThrow(/not UTF-8/);
    await expect(readProductFile(path.join(folder, 'missing.csv'))).rejects.toThrow(/cannot be read/);
  });
});

describe('batchesOf', () => {
  const product = (description: string) => ({
    sku: 'a',
    name: 'A',
    price: { amountMinor: 1, currency: 'EUR' },
    description,
  });

  it('sends no more at once than the server takes, by count and by bytes', () => {
    expect(batchesOf(Array.from({ length: 1_001 }, () => product(''))).map(({ length }) => length)).toEqual([
      500, 500, 1,
    ]);
    const large = batchesOf(Array.from({ length: 400 }, () => product('€'.repeat(2_000))));
    expect(large.flat()).toHaveLength(400);
    expect(Math.max(...large.map((batch) => Buffer.byteLength(JSON.stringify({ products: batch }))))).toBeLessThan(
      2 ** 21,
    );
    expect(batchesOf([])).toEqual([]);
  });
});

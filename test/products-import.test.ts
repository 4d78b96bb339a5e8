import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleProducts } from '../scripts/load-samples.ts';
import { runCaptured, withoutColours } from '../src/cli/captured-run.ts';
import type { ImportReport } from '../src/cli/products/products-commands.ts';
import type { Product } from '../src/domain/product.ts';
import type { Problem } from './support/api.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';

/** How products come into the catalogue: by the API, by the CLI from a file, and as the demo brings them. */
let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [] });
  folder = await mkdtemp(path.join(tmpdir(), 'twolane-products-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

const products = async () => (await engine.api.call<{ products: Product[] }>('GET', '/v1/products')).body.products;
const productOf = async (sku: string) => (await products()).find((product) => product.sku === sku);
const post = (body: unknown) =>
  engine.api.call<{ imported: number } & Problem>('POST', '/v1/admin/products', { headers: adminHeader, body });
const tea = { sku: 'tea', name: 'Tea', price: { amountMinor: 300, currency: 'EUR' } };

describe('POST /v1/admin/products', () => {
  it('leaves alone what an import does not say, and takes away what it says is nothing', async () => {
    await post({ products: [tea] });
    expect(await productOf('tea')).toEqual({
      ...tea,
      description: '',
      imageUrl: null,
      soundUrl: null,
      isAvailable: true,
    });
    const more = {
      description: 'Sencha',
      imageUrl: '/media/tea.svg',
      soundUrl: 'https://shop.example/tea.wav',
      isAvailable: false,
    };
    await post({ products: [{ ...tea, ...more }] });
    expect(await productOf('tea')).toEqual({ ...tea, ...more });
    const dearer = { ...tea, price: { amountMinor: 350, currency: 'EUR' } };
    await post({ products: [dearer] });
    expect(await productOf('tea')).toEqual({ ...dearer, ...more });
    await post({ products: [{ ...tea, imageUrl: null, description: '', isAvailable: true }] });
    expect(await productOf('tea')).toEqual({ ...tea, ...more, imageUrl: null, description: '', isAvailable: true });
  });

  it('takes products that say different things in one call, all or none', async () => {
    const [one, two] = [
      { ...tea, sku: 'one', description: 'The first' },
      { ...tea, sku: 'two', isAvailable: false },
    ];
    expect((await post({ products: [one, two, { ...tea, sku: 'three' }] })).body).toEqual({ imported: 3 });
    expect(await productOf('one')).toMatchObject({ description: 'The first', isAvailable: true });
    expect(await productOf('two')).toMatchObject({ description: '', isAvailable: false });
    const refused = await post({
      products: [
        { ...tea, sku: 'four' },
        { ...tea, sku: 'five', imageUrl: 'none' },
      ],
    });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: 'products.1.imageUrl' }] } });
    expect(await productOf('four')).toBeUndefined();
  });

  it.each(['javascript:alert(1)', '//elsewhere.example/x.svg', 'data:image/svg+xml,x', '/a b', '/\\x', 'https://', ''])(
    'refuses the address %j',
    async (address) => {
      for (const field of ['imageUrl', 'soundUrl']) {
        const refused = await post({ products: [{ ...tea, [field]: address }] });
        expect(refused).toMatchObject({ status: 400, body: { code: 'input_invalid' } });
        expect(refused.body.errors?.map((fault) => fault.path)).toEqual([`products.0.${field}`]);
      }
    },
  );

  it('takes two imports of the same products at once, in whatever order', async () => {
    const many = Array.from({ length: 2_000 }, (_, index) => ({ ...tea, sku: `many-${index}` }));
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all([post({ products: many }), post({ products: many.toReversed() })]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    }
    const [found] = await engine.database.query<{ deadlocks: string }>(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(found?.deadlocks).toBe('0'); // one costs its victim a second and another try
  });
});

describe('twolane products import', () => {
  async function importFile(text: string, ...options: string[]) {
    const file = path.join(folder, 'products.csv');
    await writeFile(file, text);
    const env = { TWOLANE_URL: engine.web.url };
    return await runCaptured(['products', 'import', file, ...options], { env });
  }
  const bad = [
    '\uFEFFname;sku;price;currency;isAvailable;description',
    'Cider;cider;4,50;EUR;no;"Apple; clove"',
    '',
    'Cake;cake;much;EUR;;',
    'Scone;scone;3.20;EUR;yes;',
    'Scone;scone;3.40;EUR;yes;',
    'Mochi;mochi;450;JPY;;"two',
    'lines"',
  ].join('\r\n');

  it('takes the good lines and lists the others', async () => {
    const { exitCode, stdout, stderr } = await importFile(bad);
    expect(exitCode).toBe(1);
    expect(stderr).toBe('');
    expect(stdout).toBe(
      [
        '3 of 3 products sent',
        'line 4 refused: price is "much"; expected a number such as 12.50, up to €1,000,000.00 (EUR has 2 decimals, no thousands separators)',
        'line 6 refused: sku is "scone", as in line 5; expected each sku once',
        '3 products imported, 2 lines refused',
        '',
      ].join('\n'),
    );
    expect(await productOf('cider')).toMatchObject({
      price: { amountMinor: 450, currency: 'EUR' },
      description: 'Apple; clove',
      isAvailable: false,
    });
    expect(await productOf('scone')).toMatchObject({ price: { amountMinor: 320 } });
    expect(await productOf('mochi')).toMatchObject({
      price: { amountMinor: 450, currency: 'JPY' },
      description: 'two\nlines',
    });
    expect(await productOf('cake')).toBeUndefined();
    const listed = await runCaptured(['products', 'list'], { env: { TWOLANE_URL: engine.web.url } });
    expect(listed.stdout).toMatch(/^SKU +NAME +PRICE\n(?:.*\n)*cider +Cider +€4\.50 +NOT AVAILABLE\n/);
  });

  it('reports as JSON alone, and sends nothing on a dry run', async () => {
    const { exitCode, stdout, stderr } = await importFile(bad.replaceAll('scone', 'bun'), '--dry-run', '--json');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(JSON.parse(stdout) as ImportReport).toMatchObject({
      file: 'products.csv',
      isDryRun: true,
      lines: 5,
      imported: 0,
      refused: [
        { line: 4, faults: [{ column: 'price', problem: 'is "much"' }] },
        { line: 6, faults: [{ column: 'sku' }] },
      ],
    });
    expect(await productOf('bun')).toBeUndefined();
  });

  it('brings ten thousand lines in, and what it sent twice is there once', async () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, index) => `bulk-${index},"Bulk ""${index}""",${index % 100}.05,EUR`,
    );
    const text = ['sku,name,price,currency', ...lines].join('\n');
    for (let round = 0; round < 2; round += 1) {
      const { exitCode, stdout } = await importFile(text, '--json');
      expect({ exitCode, report: JSON.parse(stdout) as ImportReport }).toMatchObject({
        exitCode: 0,
        report: { lines: 10_000, imported: 10_000, refused: [] },
      });
    }
    const bulk = (await products()).filter(({ sku }) => sku.startsWith('bulk-'));
    expect(bulk).toHaveLength(10_000);
    expect(bulk.find(({ sku }) => sku === 'bulk-9999')).toMatchObject({
      name: 'Bulk "9999"',
      price: { amountMinor: 9_905 },
    });
  });

  it('draws a bar where a person looks', async () => {
    const file = path.join(folder, 'products.csv');
    await writeFile(file, 'sku,name,price,currency\nbar,Bar,1,EUR\n');
    const { exitCode, stdout } = await runCaptured(['products', 'import', file], {
      env: { TWOLANE_URL: engine.web.url },
      isTty: true,
    });
    expect(exitCode).toBe(0);
    expect(withoutColours(stdout)).toMatch(/sending █{30} 1 of 1 products/);
    expect(stdout).toContain('\u001b[?25h'); // the cursor is back
  });

  it('says so when the admin’s password is wrong, and imports nothing', async () => {
    const file = path.join(folder, 'products.csv');
    await writeFile(file, 'sku,name,price,currency\nnever,Never,1,EUR\n');
    const env = { TWOLANE_URL: engine.web.url, ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: 'wrong' };
    const { exitCode, stderr } = await runCaptured(['products', 'import', file], { env });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('ADMIN_PASSWORD') });
    expect(await productOf('never')).toBeUndefined();
  });
});

describe('the catalogue of the demo', () => {
  const assets = path.join(import.meta.dirname, '../assets');
  /** An asset goes by its content: `/media/tea.svg` as `/media/tea.3fa9c1d2e4b5.svg`. */
  const shownUrl = (url: string) =>
    expect.stringMatching(new RegExp(`^${url.replace(/\.(?=\w+$)/, '\\.[0-9a-f]{12}\\.')}$`));

  it('has a description, a picture and a sound for every product', async () => {
    expect(sampleProducts).toHaveLength(16);
    const there = await products();
    for (const sample of sampleProducts) {
      const urls = { imageUrl: shownUrl(sample.imageUrl), soundUrl: shownUrl(sample.soundUrl) };
      expect(there).toContainEqual({ ...sample, ...urls, isAvailable: true });
      expect(sample.description).toMatch(/^[A-Z].{20,80}\.$/);
      expect((await stat(path.join(assets, sample.imageUrl.replace('/media/', '')))).size).toBeLessThan(3_000);
    }
    expect((await stat(path.join(assets, 'sounds/ready.wav'))).size).toBeLessThan(40_000);
  });

  it('is served as what it is, to be kept, and harmless when it is opened by itself', async () => {
    const types = { svg: 'image/svg+xml', wav: 'audio/wav' };
    for (const url of new Set(sampleProducts.flatMap(({ imageUrl, soundUrl }) => [imageUrl, soundUrl]))) {
      const { status, headers } = await fetch(new URL(url, engine.web.url));
      expect({ url, status, type: headers.get('content-type') }).toEqual({
        url,
        status: 200,
        type: types[url.slice(-3) as keyof typeof types],
      });
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; style-src 'unsafe-inline'; sandbox");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('public, max-age=300');
      const again = await fetch(new URL(url, engine.web.url), {
        headers: { 'if-none-match': headers.get('etag') ?? '', 'cache-control': 'max-age=0' }, // fetch would say no-cache
      });
      expect(again.status).toBe(304);
    }
  });

  it.each([
    '/media/nothing.svg',
    '/media/',
    '/media/products',
    '/media/%2e%2e/package.json',
    '/media/..%2fpackage.json',
  ])('has nothing else under %s', async (url) => {
    const { status, body } = await engine.api.call<Problem>('GET', url);
    expect({ status, code: body.code }).toEqual({ status: 404, code: 'route_not_found' });
  });
});

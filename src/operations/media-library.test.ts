import { hash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAssets } from '../storage/asset-index.ts';
import { createMediaLibrary, type MediaLibrary } from './media-library.ts';

const version = hash('sha256', 'tea').slice(0, 12);
const cdn = 'https://cdn.shop.example/live/';
let folder: string;
let library: MediaLibrary;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'assets-'));
  await mkdir(path.join(folder, 'products'));
  for (const name of ['tea.svg', 'Grüner Tee.svg']) await writeFile(path.join(folder, 'products', name), 'tea');
  library = createMediaLibrary({ assets: await readAssets(folder), storeUrl: cdn });
});
afterAll(() => rm(folder, { recursive: true }));

describe('urlOf', () => {
  it.each([
    ['/media/products/tea.svg', `products/tea.${version}.svg`],
    ['/media/products/Gr%C3%BCner%20Tee.svg', `products/Gr_ner_Tee.${version}.svg`],
  ])('gives %s by its content: here, or in the store once it is there', (url, versionedName) => {
    expect(library.urlOf(url)).toBe(`/media/${versionedName}`);
    library.setInStore(true);
    expect(library.urlOf(url)).toBe(cdn + versionedName);
    library.setInStore(false);
    expect(library.urlOf(url)).toBe(`/media/${versionedName}`);
  });

  it.each([
    null,
    '/media/products/cake.svg',
    '/media/products/tea.svg?v=2',
    '/media/products/tea.svg#leaf',
    '/media/products/%ff.svg',
    '/products/tea.svg',
    'https://shop.example/media/products/tea.svg',
  ])('leaves %s as it is', (url) => {
    expect(library.urlOf(url)).toBe(url);
  });

  it('stays here when browsers cannot see the store', async () => {
    const unseen = createMediaLibrary({ assets: await readAssets(folder), storeUrl: null });
    unseen.setInStore(true);
    expect(unseen.urlOf('/media/products/tea.svg')).toBe(`/media/products/tea.${version}.svg`);
  });
});

describe('plainUrlOf', () => {
  it.each([
    [`/media/products/tea.${version}.svg`, '/media/products/tea.svg'],
    ['/media/products/tea.0123456789ab.svg', '/media/products/tea.svg'], // given out before the picture was changed
    [`${cdn}products/tea.${version}.svg`, '/media/products/tea.svg'],
    [`${cdn}products/Gr_ner_Tee.${version}.svg`, '/media/products/Gr%C3%BCner%20Tee.svg'],
    ['/media/products/cake.0123456789ab.svg', '/media/products/cake.0123456789ab.svg'],
    ['/media/products/tea.svg', '/media/products/tea.svg'],
    ['https://shop.example/tea.0123456789ab.svg', 'https://shop.example/tea.0123456789ab.svg'],
  ])('keeps %s as %s', (url, kept) => {
    expect(library.plainUrlOf(url)).toBe(kept);
  });
});

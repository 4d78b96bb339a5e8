import { hash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AssetChangedError, plainNameOf, readAsset, readAssets } from './asset-index.ts';
import { isStoreKey } from './store-key.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'assets-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, content: string): Promise<string> {
  await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
  await writeFile(path.join(folder, name), content);
  return hash('sha256', content).slice(0, 12);
}

it('names each file by its content, wherever it lies and however it is called', async () => {
  const tea = await write('products/tea.svg', 'tea');
  const photo = await write('products/hot/Crème brûlée.JPG', 'photo');
  const plain = await write('NOTICE', 'words');
  const { all, find, findVersioned } = await readAssets(folder);
  expect(all.map(({ name, versionedName, contentType, bytes }) => [name, versionedName, contentType, bytes])).toEqual([
    ['NOTICE', `NOTICE.${plain}`, 'application/octet-stream', 5],
    ['products/hot/Crème brûlée.JPG', `products/hot/Cr_me_br_l_e.${photo}.JPG`, 'image/jpeg', 5],
    ['products/tea.svg', `products/tea.${tea}.svg`, 'image/svg+xml', 3],
  ]);
  expect(all.every(({ versionedName }) => isStoreKey(versionedName))).toBe(true);
  expect(find('products/tea.svg')).toBe(findVersioned(`products/tea.${tea}.svg`));
  expect(findVersioned(`products/tea.${photo}.svg`)).toBeUndefined();
});

it('passes over what begins with a dot, and says what it cannot read', async () => {
  await write('.DS_Store', 'x');
  await write('.git/tea.svg', 'x');
  await write(`${'long'.repeat(50)}.svg`, 'x');
  await symlink('/nowhere/at/all.svg', path.join(folder, 'gone.svg'));
  const linked = await write('tea.svg', 'tea');
  await symlink('tea.svg', path.join(folder, 'linked.svg'));
  const { all, unread } = await readAssets(folder);
  expect(all.map(({ versionedName }) => versionedName)).toEqual([`linked.${linked}.svg`, `tea.${linked}.svg`]);
  expect(unread.map(({ name }) => name)).toEqual(['gone.svg', `${'long'.repeat(50)}.svg`]);
});

it('never gives the bytes of one content under the name of another', async () => {
  await write('tea.svg', 'tea');
  const [asset] = (await readAssets(folder)).all;
  expect(String(await readAsset(asset!))).toBe('tea');
  await write('tea.svg', 'TEA');
  await expect(readAsset(asset!)).rejects.toThrow(AssetChangedError);
});

it.each([
  ['products/tea.3fa9c1d2e4b5.svg', 'products/tea.svg'],
  ['tea.min.3fa9c1d2e4b5.svg', 'tea.min.svg'],
  ['NOTICE.3fa9c1d2e4b5', 'NOTICE'],
  ['products/tea.svg', null],
  ['products/tea.3fa9c1d2e4b.svg', null],
  ['products/tea.3fa9c1d2e4b5f.svg', null],
  ['products/tea.3FA9C1D2E4B5.svg', null],
  ['3fa9c1d2e4b5.svg', null],
])('sees whether a name is one of a version: %s', (versionedName, plain) => {
  expect(plainNameOf(versionedName)).toBe(plain);
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findServerUrl, isLoopback } from './server-address.ts';

let projectFolder: string;
beforeEach(async () => {
  projectFolder = await mkdtemp(path.join(tmpdir(), 'server-address-'));
  await mkdir(path.join(projectFolder, '.data'));
});
afterEach(() => rm(projectFolder, { recursive: true }));

const noteRun = (content: string) => writeFile(path.join(projectFolder, '.data', 'run.json'), content);
const find = async (env: Record<string, string> = {}, told?: string) =>
  (await findServerUrl({ env, projectFolder }, told)).origin;

it('takes what it is told before TWOLANE_URL, that before what runs here, and that before the default', async () => {
  expect(await find()).toBe('http://127.0.0.1:3000');
  await noteRun(JSON.stringify({ url: 'http://127.0.0.1:3001', databaseUrl: 'postgres://…', pid: process.pid }));
  expect(await find()).toBe('http://127.0.0.1:3001');
  expect(await find({ TWOLANE_URL: 'http://127.0.0.1:3002' })).toBe('http://127.0.0.1:3002');
  expect(await find({ TWOLANE_URL: 'http://127.0.0.1:3002' }, 'http://127.0.0.1:3003')).toBe('http://127.0.0.1:3003');
});

it('does not believe what a start that was killed has left behind, or a broken file', async () => {
  await noteRun(JSON.stringify({ url: 'http://127.0.0.1:3001', pid: 2 ** 30 }));
  expect(await find()).toBe('http://127.0.0.1:3000');
  await noteRun('{"url":');
  expect(await find()).toBe('http://127.0.0.1:3000');
});

it('refuses what is no address', async () => {
  await expect(find({}, 'localhost:3000')).rejects.toMatchObject({ exitCode: 2 });
  await expect(find({ TWOLANE_URL: 'shop' })).rejects.toThrow(/TWOLANE_URL/);
});

it('knows this machine', () => {
  const local = (url: string) => isLoopback(new URL(url));
  expect(['http://127.0.0.1:1', 'http://localhost', 'http://[::1]:3000', 'http://127.8.8.8'].map(local)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(
    ['http://10.0.0.1', 'https://shop.example', 'http://127.evil.example', 'http://localhost.evil.example'].map(local),
  ).toEqual([false, false, false, false]);
});

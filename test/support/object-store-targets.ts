import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { startS3Sandbox } from '../../sandbox/s3/s3-sandbox.ts';
import type { S3Settings, StoreSettings } from '../../src/config-stores.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { openObjectStore } from '../../src/storage/open-object-store.ts';
import { startEngine } from './engine.ts';
import { s3Settings } from './s3-settings.ts';

/** A store under test, and what its interface does not show. */
export interface StoreTarget {
  store: ObjectStore;
  settings: StoreSettings;
  /** What uploads left behind that never ended. */
  unfinished(): Promise<number>;
  /** Puts an empty object under each key, the quickest way there is. */
  fill(keys: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const bucket = 'twolane-test';
const nobodySigns = { publicUrl: '', linkSecrets: null };

/** A folder, and the web process of an engine that serves its signed addresses. */
async function openDirectory(): Promise<StoreTarget> {
  const root = await mkdtemp(path.join(tmpdir(), 'twolane-contract-'));
  const engine = await startEngine('postgres', { roles: [], env: { LOCAL_STORE_FOLDER: root } });
  const settings = engine.config.stores.files;
  const { tokens } = engine.config;
  if (settings?.kind !== 'directory' || !tokens) throw new TypeError('an engine for tests has a folder and a secret');
  const store = openObjectStore(settings, { publicUrl: engine.web.url, linkSecrets: tokens.secrets });
  return {
    store,
    settings,
    unfinished: async () => (await readdir(path.join(settings.folder, '~unfinished'))).length,
    fill: (keys) => putEach(store, keys),
    async close() {
      store.close();
      await engine.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function openStandIn(): Promise<StoreTarget> {
  const sandbox = await startS3Sandbox({ buckets: [bucket], region: 'auto' });
  const settings = s3Settings(sandbox.settings('R2'));
  const store = openObjectStore(settings, nobodySigns);
  return {
    store,
    settings,
    unfinished: async () => sandbox.openUploads().length,
    async fill(keys) {
      for (const key of keys) await sandbox.write(`${settings.prefix}${key}`, Buffer.alloc(0));
    },
    async close() {
      store.close();
      await sandbox.close();
    },
  };
}

async function openReal(settings: S3Settings): Promise<StoreTarget> {
  const store = openObjectStore(settings, nobodySigns);
  const { accessKeyId, secretAccessKey, endpoint, region, prefix } = settings;
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: settings.isPathStyle,
  });
  return {
    store,
    settings,
    async unfinished() {
      const { Uploads = [] } = await client.send(
        new ListMultipartUploadsCommand({ Bucket: settings.bucket, Prefix: prefix }),
      );
      return Uploads.length;
    },
    fill: (keys) => putEach(store, keys),
    async close() {
      for await (const { key } of store.list('')) await store.delete(key);
      store.close();
      client.destroy();
    },
  };
}

async function putEach(store: ObjectStore, keys: readonly string[]): Promise<void> {
  const left = [...keys];
  const put = async () => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) await store.put(key, Buffer.alloc(0));
  };
  await Promise.all(Array.from({ length: 16 }, put));
}

/** What a real endpoint is named by; null and a word about it when it is not. */
function realSettings(): S3Settings | null {
  const needed = ['ENDPOINT', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'BUCKET'].map((name) => `TEST_S3_${name}`);
  const missing = needed.filter((name) => !process.env[name]);
  if (missing.length === 0) return s3Settings(process.env, 'TEST_S3');
  console.log(
    `object stores: no real S3 endpoint is tried, as ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not set`,
  );
  return null;
}

const real = realSettings();

export const storeTargets: [name: string, open: () => Promise<StoreTarget>][] = [
  ['a folder', openDirectory],
  ['the S3 stand-in', openStandIn],
  ...(real ? [[`the bucket ${real.bucket}`, () => openReal(real)] as [string, () => Promise<StoreTarget>]] : []),
];

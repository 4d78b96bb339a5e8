import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startS3Sandbox } from '../sandbox/s3/s3-sandbox.ts';
import { BackupDamagedError, BackupKeyError } from '../src/backup/backup-errors.ts';
import { makeBackupName } from '../src/backup/backup-name.ts';
import { type BackupManifest, sealManifest } from '../src/backup/manifest.ts';
import { listStoredBackups, listUnfinishedBackups } from '../src/backup/stored-backups.ts';
import { readBackBackup } from '../src/operations/read-back-backup.ts';
import { restoreBackup } from '../src/operations/restore-backup.ts';
import { takeBackup } from '../src/operations/take-backup.ts';
import { verifyBackup } from '../src/operations/verify-backup.ts';
import { StoreError } from '../src/storage/object-store.ts';
import { openObjectStore } from '../src/storage/open-object-store.ts';
import { type BackupScene, listTables, openBackupScene } from './support/backup-scene.ts';
import { createRandom } from './support/random.ts';
import { s3Settings } from './support/s3-settings.ts';

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);

let scene: BackupScene;
let name: string;
let plain: string;
let url: string;
let random: () => number;

beforeAll(async () => {
  console.log(`broken backups: TEST_SEED=${seed}`);
  random = createRandom(seed);
  scene = await openBackupScene(1500);
  name = makeBackupName();
  await takeBackup(scene.deps, { name });
  plain = makeBackupName();
  await takeBackup({ ...scene.deps, keys: [] }, { name: plain });
  url = await scene.makeDatabase();
});
afterAll(() => scene.close());

const fileOf = (of: string, object: string) => path.join(scene.folder, of, object);
const volumesOf = async (of: string) => {
  const files = (await readdir(path.join(scene.folder, of))).filter((file) => file.startsWith('data.tar.')).sort();
  return Promise.all(
    files.map(async (file) => ({ file: fileOf(of, file), bytes: (await stat(fileOf(of, file))).size })),
  );
};

/** Somewhere in all volumes together. */
async function somewhereIn(of: string): Promise<{ file: string; at: number }> {
  const volumes = await volumesOf(of);
  let at = Math.floor(random() * volumes.reduce((sum, { bytes }) => sum + bytes, 0));
  for (const { file, bytes } of volumes) {
    if (at < bytes) return { file, at };
    at -= bytes;
  }
  throw new RangeError('it is within them');
}

/** Does it to the bytes of a file, looks, and puts them back. */
async function broken(file: string, by: (bytes: Buffer) => Buffer, look: () => Promise<void>): Promise<void> {
  const bytes = await readFile(file);
  try {
    await writeFile(file, by(Buffer.from(bytes)));
    await look();
  } finally {
    await writeFile(file, bytes);
  }
}

/** Found by reading it back and by a restore, which leaves nothing behind. */
async function expectDamage(of: string, what: string, message?: RegExp): Promise<void> {
  for (const attempt of [
    () => readBackBackup(scene.deps, { name: of }),
    () => restoreBackup(scene.deps, { name: of, targetUrl: url, schema: 'public' }),
  ]) {
    const outcome = await attempt().catch((error: unknown) => error);
    expect(outcome, what).toBeInstanceOf(BackupDamagedError);
    if (message) expect((outcome as Error).message, what).toMatch(message);
  }
  expect(await listTables(url), what).toEqual([]);
}

const flipped = (at: number) => (bytes: Buffer) => {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  return bytes;
};

describe('a broken backup is found', () => {
  it('when it was cut off, at any of 10 points', async () => {
    for (let count = 0; count < 10; count++) {
      const { file, at } = await somewhereIn(count % 2 ? plain : name);
      const of = count % 2 ? plain : name;
      await broken(
        file,
        (bytes) => bytes.subarray(0, at),
        () => expectDamage(of, `${file} cut at ${at}`, /part data\.tar\.\S+ has \d+ bytes instead of \d+/),
      );
    }
  });

  it.each([
    ['encrypted', () => name],
    ['not encrypted', () => plain],
  ])('when one byte of one that is %s was flipped, at any of 10 places', async (_, of) => {
    for (let count = 0; count < 10; count++) {
      const { file, at } = await somewhereIn(of());
      await broken(file, flipped(at), () => expectDamage(of(), `${file} flipped at ${at}`));
    }
  });

  it('when a byte of its manifest was flipped, at any of 10 places', async () => {
    const file = fileOf(name, 'manifest.json');
    for (let count = 0; count < 10; count++) {
      const at = Math.floor(random() * (await stat(file)).size);
      await broken(file, flipped(at), () => expectDamage(name, `manifest flipped at ${at}`));
    }
  });

  it('when a part is missing, or is that of another backup', async () => {
    const [, second] = await volumesOf(name);
    const aside = `${second?.file}.aside`;
    await rename(second?.file ?? '', aside);
    await expectDamage(name, 'missing', /part data\.tar\.zst\.age\.001 is missing/);
    await rename(aside, second?.file ?? '');
    await broken(
      second?.file ?? '',
      (bytes) => bytes.reverse(),
      () => expectDamage(name, 'of another'),
    );
  });

  it('when its manifest is that of another backup, even under its own name', async () => {
    const file = fileOf(name, 'manifest.json');
    const other = await readFile(fileOf(plain, 'manifest.json'));
    await broken(
      file,
      () => other,
      () => expectDamage(name, 'another', new RegExp(`is that of ${plain}`)),
    );
    const { sha256: _, seal: __, ...facts } = JSON.parse(other.toString()) as BackupManifest; // written by us
    const renamed = JSON.stringify(sealManifest({ ...facts, name }, null));
    const parts = (await volumesOf(plain)).map(({ file: part }) => ({
      from: part,
      to: fileOf(name, path.basename(part)),
    }));
    for (const { from, to } of parts) await writeFile(to, await readFile(from));
    await broken(
      file,
      () => Buffer.from(renamed),
      () => expectDamage(name, 'renamed', new RegExp(`are those of ${plain}`)),
    );
    for (const { to } of parts) await rm(to);
  });

  it('when it was made by somebody who has not our key', async () => {
    const file = fileOf(name, 'manifest.json');
    const { seal: _, sha256: __, ...facts } = JSON.parse(await readFile(file, 'utf8')) as BackupManifest; // written by us
    for (const key of [null, await generateIdentity()])
      await broken(
        file,
        () => Buffer.from(JSON.stringify(sealManifest(facts, key))),
        () => expectDamage(name, 'sealed by another', /not written by somebody who has its key/),
      );
  });

  it('when its bytes are whole and Postgres refuses them: nothing is left', async () => {
    const doubled = makeBackupName();
    await scene.database.query('ALTER TABLE order_items DROP CONSTRAINT order_items_pkey');
    await scene.database.query('INSERT INTO order_items SELECT * FROM order_items LIMIT 1');
    await takeBackup({ ...scene.deps, keys: [] }, { name: doubled });
    await scene.database.query('ALTER TABLE order_items ADD COLUMN id integer GENERATED ALWAYS AS IDENTITY');
    await scene.database.query(
      'DELETE FROM order_items i USING order_items j WHERE i.order_id = j.order_id AND i.line = j.line AND i.id > j.id',
    );
    await scene.database.query('ALTER TABLE order_items DROP COLUMN id, ADD PRIMARY KEY (order_id, line)');
    await expectRefusal(doubled);
  });

  async function expectRefusal(of: string): Promise<void> {
    await readBackBackup(scene.deps, { name: of });
    const outcome = await verifyBackup(scene.deps, { name: of }).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(BackupDamagedError);
    expect((outcome as Error).message).toMatch(/as it was stored, but Postgres does not take it/);
    expect((await listStoredBackups(scene.deps.store)).find((backup) => backup.name === of)?.verification).toBeNull();
  }

  it('when what was restored is not what was backed up', async () => {
    const file = fileOf(plain, 'manifest.json');
    const { sha256: _, seal: __, ...facts } = JSON.parse(await readFile(file, 'utf8')) as BackupManifest; // written by us
    const tables = facts.tables.map((table) => (table.rows > 0 ? { ...table, sha256: '0'.repeat(64) } : table));
    await broken(
      file,
      () => Buffer.from(JSON.stringify(sealManifest({ ...facts, tables }, null))),
      () => expectDamage(plain, 'other rows', /instead of the \d+ in \d+ that were stored/),
    );
    const [first, ...rest] = facts.business.orders;
    if (!first) throw new TypeError('there are orders');
    const business = {
      ...facts.business,
      orders: [{ ...first, totalMinor: `${Number(first.totalMinor) - 1}` }, ...rest],
    };
    await broken(
      file,
      () => Buffer.from(JSON.stringify(sealManifest({ ...facts, business }, null))),
      async () => {
        await expect(verifyBackup(scene.deps, { name: plain })).rejects.toThrow(/after its restore its orders come to/);
      },
    );
  });
});

describe('a key', () => {
  it('that does not fit is said with the one that would', async () => {
    const other = await generateIdentity();
    const recipient = await identityToRecipient(scene.key);
    for (const keys of [[], [other]]) {
      const outcome = await readBackBackup({ ...scene.deps, keys }, { name }).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(BackupKeyError);
      expect((outcome as Error).message).toContain(recipient);
    }
    await readBackBackup({ ...scene.deps, keys: [other, scene.key] }, { name });
  });
});

describe('a run that does not come to its end', () => {
  it('leaves nothing when the store dies at half of it', async () => {
    const s3 = await startS3Sandbox({ buckets: ['backups'] });
    const store = openObjectStore(s3Settings(s3.settings('BACKUP_S3'), 'BACKUP_S3', 1_000), {
      publicUrl: '',
      linkSecrets: null,
    });
    const deps = { ...scene.deps, store };
    const whole = await takeBackup(deps, { name: makeBackupName() });
    s3.faults.add({ kind: 'dies', atByte: Math.floor(whole.totals.storedBytes / 2) });
    const dead = makeBackupName();
    const outcome = await takeBackup(deps, { name: dead }).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(StoreError);
    s3.faults.clear();
    expect((await listStoredBackups(store)).map((backup) => backup.name)).toEqual([whole.name]);
    expect((await listUnfinishedBackups(store)).map((backup) => backup.name)).toEqual([dead]); // it could not be cleared away any more
    expect(s3.openUploads()).toEqual([]);
    await verifyBackup(deps, { name: whole.name });
    store.close();
    await s3.close();
  });

  it('leaves nothing when it is stopped, or its database goes', async () => {
    const client = new pg.Client(scene.database.url);
    await client.connect();
    const before = await readdir(scene.folder);
    const endings: [atPut: number, end: (stop: AbortController) => unknown, error: string | RegExp][] = [
      [3, (stop) => stop.abort(new Error('deployed')), 'deployed'],
      [
        1, // while this one waits, most of the tables do
        () =>
          client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'twolane backup'
            AND datname = current_database()`),
        /terminat/,
      ],
    ];
    for (const [atPut, end, error] of endings) {
      const stop = new AbortController();
      const half = makeBackupName();
      let puts = 0;
      const store = {
        ...scene.deps.store,
        async put(...call: Parameters<typeof scene.deps.store.put>) {
          if (++puts === atPut) await end(stop);
          return scene.deps.store.put(...call);
        },
      };
      await expect(takeBackup({ ...scene.deps, store }, { name: half, signal: stop.signal })).rejects.toThrow(error);
      expect(puts).toBe(atPut);
      expect(await listUnfinishedBackups(scene.deps.store)).toEqual([]);
    }
    expect((await readdir(scene.folder)).filter((entry) => !before.includes(entry) && !/Z-/.test(entry))).toEqual([]);
    await client.end();
  });

  it('restores nothing when it is stopped', async () => {
    const stop = new AbortController();
    const restoring = restoreBackup(scene.deps, {
      name,
      targetUrl: url,
      schema: 'public',
      signal: stop.signal,
      onProgress: ({ phase }) => {
        if (phase === 'restore') stop.abort(new Error('enough'));
      },
    });
    await expect(restoring).rejects.toThrow('enough');
    expect(await listTables(url)).toEqual([]);
  });

  it('restores nothing when the target goes', async () => {
    let gets = 0;
    const store = {
      ...scene.deps.store,
      async get(...call: Parameters<typeof scene.deps.store.get>) {
        if (++gets === 3)
          await scene.database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'twolane backup' AND datname = '${new URL(url).pathname.slice(1)}'`);
        return scene.deps.store.get(...call);
      },
    };
    const restoring = restoreBackup({ ...scene.deps, store }, { name, targetUrl: url, schema: 'public' });
    await expect(restoring).rejects.toThrow(/terminat/);
    expect(await listTables(url)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { configFaultsOf } from '../test/support/config-faults.ts';
import { readConfig } from './config.ts';

const enough = { DATABASE_URL: 'postgres://shop:hunter2@db/twolane' };
const r2 = { R2_ACCESS_KEY_ID: 'id', R2_SECRET_ACCESS_KEY: 'hunter2', R2_BUCKET: 'receipts' };
const account = { R2_ACCOUNT_ID: '0123456789abcdef0123456789abcdef' };
const read = (variables: Record<string, string>) => readConfig({ ...enough, ...variables }).stores;

const faultsOf = (variables: Record<string, string>) => configFaultsOf({ ...enough, ...variables });

describe('object stores', () => {
  it('are folders of this machine where nothing is set, and none in production', () => {
    const { files, media, backups } = read({ ENV: 'development' });
    expect(files).toEqual({ kind: 'directory', folder: '.data/store/files' });
    expect(backups).toEqual({ kind: 'directory', folder: '.data/store/backups' });
    expect(media).toBeNull();
    expect(read({})).toMatchObject({ files: null, media: null, backups: null });
    expect(read({ LOCAL_STORE_FOLDER: '/srv/twolane' }).backups).toMatchObject({ folder: '/srv/twolane/backups' });
  });

  it('are there whole or not at all', () => {
    expect(faultsOf(r2)).toMatch(/R2_ENDPOINT: missing; .* come together or not at all/);
    expect(faultsOf({ ...r2, ...account, R2_BUCKET: '' })).toMatch(/R2_BUCKET: missing/);
    expect(faultsOf(account)).toMatch(/R2_ACCESS_KEY_ID, R2_SECRET_ACCESS_KEY, R2_BUCKET: missing/);
    expect(faultsOf({ BACKUP_S3_ENDPOINT: 'https://s3.example' })).toMatch(/BACKUP_S3_BUCKET: missing/);
  });

  it('find the address of an R2 account, unless another one is named', () => {
    expect(read({ ...r2, ...account }).files).toMatchObject({
      endpoint: 'https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com',
      region: 'auto',
      prefix: '',
      isPathStyle: true,
    });
    const elsewhere = read({ ...r2, ...account, R2_ENDPOINT: 'https://files.example', R2_PREFIX: 'shop/live' });
    expect(elsewhere.files).toMatchObject({ endpoint: 'https://files.example', prefix: 'shop/live/' });
  });

  it('are reached by https in production, unless they are on this machine', () => {
    expect(faultsOf({ ...r2, R2_ENDPOINT: 'http://files.example' })).toMatch(
      /R2_ENDPOINT: takes an address with https/,
    );
    expect(faultsOf({ ...r2, R2_ENDPOINT: 'http://127.0.0.1:9000' })).toBe('');
    expect(faultsOf({ ...r2, R2_ENDPOINT: 'http://files.example', ENV: 'development' })).toBe('');
  });

  it('have a prefix that leads nowhere else', () => {
    for (const prefix of ['/shop', 'shop//live', 'a b', '?'])
      expect(faultsOf({ ...r2, ...account, R2_PREFIX: prefix })).toContain('R2_PREFIX: takes');
    expect(faultsOf({ ...r2, R2_ENDPOINT: 'https://files.example/bucket' })).toMatch(/R2_ENDPOINT: .*without a path/);
  });
});

describe('backups', () => {
  const backup = (variables: Record<string, string>) => readConfig({ ...enough, ...variables }).backup;

  it('are made every night, kept 7, 4 and 12, and not encrypted where no key is set', () => {
    expect(backup({})).toMatchObject({
      cron: '30 2 * * *',
      keep: { daily: 7, weekly: 4, monthly: 12 },
      encryptionKeys: [],
      compression: 'zstd',
    });
    expect(backup({ BACKUP_CRON: 'off' }).cron).toBeNull();
    expect(faultsOf({ BACKUP_CRON: 'sometimes' })).toMatch(/BACKUP_CRON: /);
  });

  it('take keys of age, and never print one', () => {
    const faults = faultsOf({ BACKUP_ENCRYPTION_KEY: 'hunter2' });
    expect(faults).toMatch(/BACKUP_ENCRYPTION_KEY: takes keys such as `twolane backup key` makes/);
    expect(faults).not.toContain('hunter2');
  });
});

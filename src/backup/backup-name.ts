import { randomBytes } from 'node:crypto';

const pattern = /^\d{8}T\d{6}Z-[0-9a-f]{6}$/;

/** `20261122T021500Z-1f3a9c`: sorts by time, and two of one second differ. */
export function makeBackupName(at = new Date()): string {
  return `${at
    .toISOString()
    .replaceAll(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z')}-${randomBytes(3).toString('hex')}`;
}

export const isBackupName = (text: string): boolean => pattern.test(text);

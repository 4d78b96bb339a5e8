import { StoreError } from './object-store.ts';

const part = /^(?!\.{1,2}$)[\w.-]+$/;
/** What the narrowest store takes: S3's own limit, and a folder's for one name. */
const longestKey = 1_024;
const longestPart = 200;

export function isStoreKey(key: string): boolean {
  return key.length <= longestKey && key.split('/').every((name) => name.length <= longestPart && part.test(name));
}

/** A key comes from our own code: one that is not a key is a fault that no setting and no other try mends. */
export function assertStoreKey(key: string): void {
  if (!isStoreKey(key))
    throw new StoreError(
      'refused',
      'InvalidKey',
      `${JSON.stringify(key)} is no key of a store: letters, digits and ._-`,
    );
}

/** As S3 has it: by bytes. Keys are ASCII, where code units are bytes. */
export const byKey = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);

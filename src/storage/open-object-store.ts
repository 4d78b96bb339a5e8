import type { StoreSettings } from '../config-stores.ts';
import { createDirectoryObjectStore, type DirectoryStoreOptions } from './directory-object-store.ts';
import type { ObjectStore } from './object-store.ts';
import { createS3ObjectStore } from './s3-object-store.ts';

/** Connects to nothing yet: a store that is away shows when it is used. */
export function openObjectStore(settings: StoreSettings, options: DirectoryStoreOptions): ObjectStore {
  return settings.kind === 's3' ? createS3ObjectStore(settings) : createDirectoryObjectStore(settings, options);
}

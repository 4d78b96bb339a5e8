import type { QueueStore } from '../../queues/backend.ts';
import type { Config } from '../../src/config.ts';
import type { Database } from '../../src/db/pool.ts';
import type { Logger } from '../../src/log.ts';

/** What the roles of one process share. */
export interface RoleContext {
  config: Config;
  log: Logger;
  database: Database;
  /** Closed with the process. */
  openStore(role: 'producer' | 'worker', poolSize: number): QueueStore;
  announce(): void;
  wakeRelay(): void;
}

export type StartRole = (context: RoleContext) => Promise<{ close(): Promise<void> }>;

/** Whatever it is made of ends in the opposite order. */
export function closeAll(...parts: { close(): void | Promise<void> }[]): { close(): Promise<void> } {
  return {
    async close() {
      for (const part of parts.toReversed()) await part.close();
    },
  };
}

import { type Channel, notify } from '../db/notify.ts';
import type { Db } from '../db/sql.ts';
import type { Logger } from '../log.ts';

const everyMs = 50;

export interface Announcer {
  /** There is something new. Said to the other processes at once, then at most every 50 ms. */
  announce(): void;
  close(): Promise<void>;
}

export function createAnnouncer({ db, log }: { db: Db; log: Logger }, channel: Channel = 'twolane_events'): Announcer {
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;
  let flight: Promise<void> = Promise.resolve();
  const say = () => {
    isDue = false;
    timer = setTimeout(() => {
      timer = undefined;
      if (isDue) say();
    }, everyMs);
    flight = notify(db, channel).catch((error: Error) => log.warn({ error: error.message }, 'announcement failed'));
  };
  return {
    announce() {
      if (timer) isDue = true;
      else say();
    },
    async close() {
      clearTimeout(timer);
      await flight;
    },
  };
}

import type { DatabasePool } from 'slonik';
import {
  countUnassignedBots,
  type HostBot,
  listHostBots,
  listHostLoads,
  releaseBots,
  renewLease,
  takeBots,
} from '../db/bot-hosts.ts';
import { shareBots } from '../domain/share-bots.ts';

/** Renews a host's lease and gives it its share of the bots; returns its bots, or null when the lease had ended. Bots in `busy` are not released. */
export function renewHost(
  pool: DatabasePool,
  hostId: string,
  busy: ReadonlySet<string>,
): Promise<readonly HostBot[] | null> {
  return pool.connect(async (db) => {
    if (!(await renewLease(db, hostId))) return null;
    const share = shareBots(await listHostLoads(db), hostId, await countUnassignedBots(db));
    if (share.take > 0) await takeBots(db, hostId, share.take);
    const bots = await listHostBots(db, hostId);
    if (share.release === 0) return bots;
    const idle = bots.filter((bot) => !busy.has(bot.id)).slice(-share.release);
    await releaseBots(
      db,
      hostId,
      idle.map((bot) => bot.id),
    );
    return bots.filter((bot) => !idle.includes(bot));
  });
}

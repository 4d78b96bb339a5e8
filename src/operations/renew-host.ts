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

/** Takes `count` bots without an order out of work, at once, and names them; fewer when the others have begun something. */
export type RetireIdle = (bots: readonly HostBot[], count: number) => readonly HostBot[];

/** Renews a host's lease and gives it its share of the bots; returns its bots, or null when the lease had ended. */
export function renewHost(
  pool: DatabasePool,
  hostId: string,
  retireIdle: RetireIdle,
): Promise<readonly HostBot[] | null> {
  return pool.connect(async (db) => {
    if (!(await renewLease(db, hostId))) return null;
    const share = shareBots(await listHostLoads(db), hostId, await countUnassignedBots(db));
    if (share.take > 0) await takeBots(db, hostId, share.take);
    const bots = await listHostBots(db, hostId);
    if (share.release === 0) return bots;
    const retired = retireIdle(bots, share.release);
    await releaseBots(
      db,
      hostId,
      retired.map((bot) => bot.id),
    );
    return bots.filter((bot) => !retired.includes(bot));
  });
}

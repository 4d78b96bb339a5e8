/** What one host does about its number of bots. */
export interface BotShare {
  take: number;
  /** Only idle bots are given away: nobody's order is moved for balance. */
  release: number;
}

export interface HostCapacity {
  hostId: string;
  capacity: number;
  bots: number;
}

/**
 * How many bots a host takes or lets go, so that the living hosts share them evenly within their capacities. Every host computes
 * it for itself from the same table; a host takes beyond its even share only what the others have no room for.
 */
export function shareBots(hosts: readonly HostCapacity[], hostId: string, unassigned: number): BotShare {
  const me = hosts.find((host) => host.hostId === hostId);
  if (!me) return { take: 0, release: 0 };
  const total = unassigned + hosts.reduce((sum, host) => sum + host.bots, 0);
  const fair = fairShares(hosts, total).get(hostId) ?? 0;
  if (me.bots < fair) return { take: Math.min(fair - me.bots, unassigned), release: 0 };
  return { take: 0, release: me.bots - fair };
}

/** Fills the hosts level by level; the remainder goes to the first ones by id. */
function fairShares(hosts: readonly HostCapacity[], total: number): Map<string, number> {
  const shares = new Map(hosts.map((host) => [host.hostId, 0]));
  let left = Math.min(
    total,
    hosts.reduce((sum, host) => sum + host.capacity, 0),
  );
  while (left > 0) {
    const open = hosts.filter((host) => (shares.get(host.hostId) ?? 0) < host.capacity);
    const level = Math.max(1, Math.floor(left / open.length));
    for (const host of open) {
      const share = shares.get(host.hostId) ?? 0;
      const more = Math.min(level, host.capacity - share, left);
      shares.set(host.hostId, share + more);
      left -= more;
    }
  }
  return shares;
}

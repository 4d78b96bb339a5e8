import { z } from 'zod';
import { hostLeaseMs, robotHostName } from '../domain/bot.ts';
import { type Db, int8, nothing, sql } from './sql.ts';

const lease = sql.fragment`now() + ${hostLeaseMs}::float8 * interval '1 millisecond'`;

export async function insertHost(db: Db, host: { id: string; name: string; capacity: number }): Promise<void> {
  await db.query(sql.type(nothing)`
    INSERT INTO bot_hosts (id, name, capacity, lease_until) VALUES (${host.id}, ${host.name}, ${host.capacity}, ${lease})
  `);
}

/** False when the lease had ended and another host has cleared this one away. */
export async function renewLease(db: Db, hostId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    sql.type(nothing)`UPDATE bot_hosts SET lease_until = ${lease} WHERE id = ${hostId}`,
  );
  return rowCount === 1;
}

/**
 * Renews the lease of a web process that takes jobs for robots, or gives it anew. It is for those who look for the jobs of the
 * dead: with room for nothing, it takes no share of the bots.
 */
export async function renewDeskLease(db: Db, deskId: string): Promise<void> {
  await db.query(sql.type(nothing)`
    INSERT INTO bot_hosts (id, name, capacity, lease_until) VALUES (${deskId}, 'robot desk', 0, ${lease})
    ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
  `);
}

/** Whose leases are judged, and how long after their end. */
export interface Judgement {
  /** Their leases are longer than those of hosts, so they are judged later after a break. */
  includesRobots: boolean;
  graceMs: number;
}

/** For a query that calls the table `host`. */
export const isDead = ({ includesRobots, graceMs }: Judgement) => sql.fragment`(
  host.lease_until < now() - ${graceMs}::float8 * interval '1 millisecond' AND (host.name <> ${robotHostName} OR ${includesRobots}::boolean))`;

/** The hosts whose lease ran out and that nobody has cleared away yet. */
export function listDeadHosts(db: Db, judgement: Judgement): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ id: z.uuid() }))`SELECT id FROM bot_hosts host WHERE ${isDead(judgement)}`);
}

/**
 * How long the lease that ends next still has, in milliseconds; null without another living host. Short only for one that is
 * silent. One that has ended may have to wait for its judgement, so it is nobody's next.
 */
export function findNextLeaseEndMs(db: Db, hostId: string): Promise<number | null> {
  return db.oneFirst(sql.type(z.object({ ms: z.number().nullable() }))`
    SELECT (extract(epoch FROM min(lease_until) - now()) * 1000)::float8 AS ms FROM bot_hosts WHERE id <> ${hostId} AND lease_until > now()
  `);
}

/** Ends a host's lease by itself; its bots are free for others at once. */
export async function deleteHost(db: Db, hostId: string): Promise<void> {
  await db.query(sql.type(nothing)`DELETE FROM bot_hosts WHERE id = ${hostId}`);
}

const hostLoadRow = z.object({ hostId: z.uuid(), capacity: z.number(), bots: int8 });
export type HostLoad = z.infer<typeof hostLoadRow>;

/** The living hosts that have room for bots, with the number of bots that each has. */
export function listHostLoads(db: Db): Promise<readonly HostLoad[]> {
  return db.any(sql.type(hostLoadRow)`
    SELECT host.id AS "hostId", host.capacity, count(bot.id) AS bots
    FROM bot_hosts host LEFT JOIN bots bot ON bot.host_id = host.id AND bot.deleted_at IS NULL
    WHERE host.lease_until >= now() AND host.capacity > 0 GROUP BY host.id ORDER BY host.id
  `);
}

export async function countUnassignedBots(db: Db): Promise<number> {
  return db.oneFirst(sql.type(z.object({ count: int8 }))`
    SELECT count(*) AS count FROM bots WHERE deleted_at IS NULL AND user_id IS NULL AND host_id IS NULL
  `);
}

/** Takes up to `count` bots that no host has, oldest first. Two hosts never take the same one. */
export async function takeBots(db: Db, hostId: string, count: number): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE bots SET host_id = ${hostId}, updated_at = now()
    WHERE id IN (
      SELECT id FROM bots WHERE deleted_at IS NULL AND user_id IS NULL AND host_id IS NULL ORDER BY number LIMIT ${count} FOR UPDATE SKIP LOCKED
    )
  `);
}

export async function releaseBots(db: Db, hostId: string, botIds: readonly string[]): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE bots SET host_id = NULL, updated_at = now() WHERE host_id = ${hostId} AND id = ANY (${sql.array([...botIds], 'uuid')})
  `);
}

const hostBotRow = z.object({ id: z.uuid(), number: z.number() });
export type HostBot = z.infer<typeof hostBotRow>;

export function listHostBots(db: Db, hostId: string): Promise<readonly HostBot[]> {
  return db.any(
    sql.type(hostBotRow)`SELECT id, number FROM bots WHERE host_id = ${hostId} AND deleted_at IS NULL ORDER BY number`,
  );
}

import type { DatabasePool } from 'slonik';
import type { QueueStore } from '../../queues/backend.ts';
import { listDeadHosts } from '../db/bot-hosts.ts';
import { reapDeadHosts } from '../db/order-returns.ts';
import { hostLeaseMs, robotLeaseMs } from '../domain/bot.ts';
import type { LeaseJudge } from '../domain/lease-judge.ts';
import type { Logger } from '../log.ts';
import { returnToLanes } from './return-to-lanes.ts';

export interface ClearDeadHostsDeps {
  pool: DatabasePool;
  store: QueueStore;
  announce(): void;
  maxAttempts: number;
  log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Clears away hosts and robots whose lease ran out: their orders become pending again, in their places. Hosts and relays all do
 * it; several at once bring each order back once.
 */
export async function clearDeadHosts(
  { pool, store, announce, maxAttempts, log }: ClearDeadHostsDeps,
  judge: LeaseJudge,
  graceMs = 0,
): Promise<void> {
  if (!judge.mayJudge(hostLeaseMs)) return;
  const judgement = { includesRobots: judge.mayJudge(robotLeaseMs), graceMs };
  const deadHostIds = await listDeadHosts(pool, judgement);
  const returned = await reapDeadHosts(pool, maxAttempts, judgement);
  if (deadHostIds.length === 0 && returned.length === 0) return;
  announce();
  const line = { hosts: deadHostIds.length, orders: returned.length };
  if (returned.length > 0) log.warn(line, 'orders of dead hosts given back');
  else log.info(line, 'leases that ran out ended'); // a robot that was switched off tells nobody
  await returnToLanes({ pool, store }, returned, deadHostIds);
}

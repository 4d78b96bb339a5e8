import { findOrder } from '../db/orders.ts';
import type { Database } from '../db/pool.ts';
import { findRobot, insertRobot, type Robot, renewRobotLeases } from '../db/robots.ts';
import type { Db } from '../db/sql.ts';
import { ForbiddenError } from '../domain/errors.ts';
import type { Order } from '../domain/order.ts';
import type { RobotDesk } from './robot-desk.ts';

export interface ClaimOrderDeps {
  database: Database;
  robots: RobotDesk;
  announce(): void;
}

/**
 * The order that an account's robot is to do: the one in its hands, when its answer was lost, else the next one of the lanes.
 * Null when none was due in time. The first claim makes the robot.
 */
export async function claimOrder(
  { database: { pool }, robots, announce }: ClaimOrderDeps,
  userId: string,
  { waitMs, hungUp }: { waitMs: number; hungUp: AbortSignal },
): Promise<Order | null> {
  const robot = (await findRobot(pool, userId)) ?? (await makeRobot(pool, userId, announce));
  const [held] = await renewRobotLeases(pool, [robot.id]);
  const claim = held ?? (await robots.claim(robot, waitMs, hungUp));
  const stored = claim && (await findOrder(pool, claim.orderNumber));
  // It may have been cancelled in this moment.
  return stored?.order.status === 'processing' && stored.order.attempt === claim?.attempt ? stored.order : null;
}

async function makeRobot(db: Db, userId: string, announce: () => void): Promise<Robot> {
  const made = await insertRobot(db, userId);
  if (made) announce();
  const robot = made ?? (await findRobot(db, userId)); // two first claims at once
  if (!robot) throw new ForbiddenError('This account does not work as a robot any more.');
  return robot;
}

import { commitProgress } from '../db/order-progress.ts';
import type { AttemptKey } from '../db/order-returns.ts';
import type { Database } from '../db/pool.ts';
import { hasEndedAttempt } from '../db/robots.ts';
import { AttemptSupersededError } from '../domain/errors.ts';
import type { Order } from '../domain/order.ts';
import { getRobot, getRobotOrder, holdAttempt } from './hold-robot-order.ts';

export interface CompleteRobotOrderDeps {
  database: Database;
  announce(): void;
}

/** Completes what a robot has in hand. A repeat by the same robot, whose answer was lost, has the same end. */
export async function completeRobotOrder(
  { database, announce }: CompleteRobotOrderDeps,
  userId: string,
  key: AttemptKey,
): Promise<Order> {
  const { pool, writer } = database;
  const robot = await getRobot(pool, userId, key);
  if (await holdAttempt(pool, robot, key)) {
    const { completed } = await commitProgress(writer, [], [key]);
    if (completed.size > 0) announce();
  }
  if (!(await hasEndedAttempt(pool, robot, key, ['completed'])))
    throw new AttemptSupersededError(key.orderNumber, key.attempt);
  return getRobotOrder(pool, key);
}

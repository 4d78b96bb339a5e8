import type { AttemptKey } from '../db/order-returns.ts';
import { findOrder } from '../db/orders.ts';
import { findRobot, type Robot, renewRobotLeases } from '../db/robots.ts';
import type { Db } from '../db/sql.ts';
import { AttemptSupersededError } from '../domain/errors.ts';
import type { Order } from '../domain/order.ts';

/** A sign of life with an order in hand. Throws `AttemptSupersededError` when this attempt is not the robot's, or not any more. */
export async function holdRobotOrder(db: Db, userId: string, key: AttemptKey): Promise<Order> {
  const robot = await getRobot(db, userId, key);
  if (!(await holdAttempt(db, robot, key))) throw new AttemptSupersededError(key.orderNumber, key.attempt);
  return getRobotOrder(db, key);
}

/**
 * Renews the robot's lease; true when it has this attempt in hand. An attempt never goes to another bot, the next start is the
 * next attempt: so what is true here is enough for a move that is guarded by the attempt alone.
 */
export async function holdAttempt(db: Db, robot: Robot, { orderNumber, attempt }: AttemptKey): Promise<boolean> {
  const held = await renewRobotLeases(db, [robot.id]);
  return held.some((one) => one.orderNumber === orderNumber && one.attempt === attempt);
}

/** The robot of an account, which must have had an order. */
export async function getRobot(db: Db, userId: string, { orderNumber, attempt }: AttemptKey): Promise<Robot> {
  const robot = await findRobot(db, userId);
  if (!robot) throw new AttemptSupersededError(orderNumber, attempt);
  return robot;
}

/** As it is now. */
export async function getRobotOrder(db: Db, { orderNumber, attempt }: AttemptKey): Promise<Order> {
  const stored = await findOrder(db, orderNumber);
  if (!stored) throw new AttemptSupersededError(orderNumber, attempt);
  return stored.order;
}

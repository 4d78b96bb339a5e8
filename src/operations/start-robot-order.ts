import type { DatabasePool } from 'slonik';
import type { OrderJob } from '../../queues/order-job.ts';
import type { AttemptKey } from '../db/order-returns.ts';
import { lockRobot, type Robot, renewRobotLeases, startOrderOfRobot } from '../db/robots.ts';

export type RobotStart =
  | { kind: 'started'; claim: AttemptKey }
  /** The robot has an order already: the job belongs back into its lane. */
  | { kind: 'in hand'; claim: AttemptKey }
  /** The order is not pending under this job: whoever has it, or gives it back, sees to its next job. */
  | { kind: 'not due' }
  /** Its account was deleted or has another role. */
  | { kind: 'not a robot' };

/** Starts the order of a job for a robot that has none in hand; one start at a time, whichever processes try. */
export function startRobotOrder(pool: DatabasePool, robot: Robot, order: OrderJob): Promise<RobotStart> {
  return pool.transaction(async (transaction): Promise<RobotStart> => {
    if (!(await lockRobot(transaction, robot.id))) return { kind: 'not a robot' };
    const [held] = await renewRobotLeases(transaction, [robot.id]);
    if (held) return { kind: 'in hand', claim: { orderNumber: held.orderNumber, attempt: held.attempt } };
    const attempt = await startOrderOfRobot(transaction, robot, order);
    return attempt === null
      ? { kind: 'not due' }
      : { kind: 'started', claim: { orderNumber: order.orderNumber, attempt } };
  });
}

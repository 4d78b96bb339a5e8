import type { DatabasePool } from 'slonik';
import { type AttemptKey, failAttempt } from '../db/order-returns.ts';
import { hasEndedAttempt } from '../db/robots.ts';
import { AttemptSupersededError } from '../domain/errors.ts';
import type { Order } from '../domain/order.ts';
import type { Logger } from '../log.ts';
import { getRobot, getRobotOrder, holdAttempt } from './hold-robot-order.ts';

export interface FailRobotOrderDeps {
  pool: DatabasePool;
  announce(): void;
  maxAttempts: number;
  log: Pick<Logger, 'warn'>;
}

export interface RobotFailure extends AttemptKey {
  reason: string;
  /** Worth another try after a backoff; otherwise the order fails for good. */
  retryable: boolean;
}

/** Records that a robot could not do its order, as a hosted bot's handler would. A repeat whose answer was lost changes nothing. */
export async function failRobotOrder(
  { pool, announce, maxAttempts, log }: FailRobotOrderDeps,
  userId: string,
  { reason, retryable, ...key }: RobotFailure,
): Promise<Order> {
  const robot = await getRobot(pool, userId, key);
  if (await holdAttempt(pool, robot, key)) {
    const failure = await failAttempt(pool, { ...key, reason, isRetryable: retryable, maxAttempts });
    if (failure) {
      announce();
      const { status, retryAfterMs } = failure;
      log.warn({ ...key, status, retryAfterMs, reason, botNumber: robot.number }, 'robot failed an order');
    }
  }
  if (!(await hasEndedAttempt(pool, robot, key, ['retry_scheduled', 'failed'])))
    throw new AttemptSupersededError(key.orderNumber, key.attempt);
  return getRobotOrder(pool, key);
}

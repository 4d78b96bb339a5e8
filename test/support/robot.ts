import type { Lane } from '../../src/domain/lane.ts';
import type { Order } from '../../src/domain/order.ts';
import type { Answer, Api, Problem } from './api.ts';
import { adminHeader, type Engine } from './engine.ts';
import { untilHandedOver } from './timeline.ts';
import { until } from './until.ts';

export const bot = 'bot@twolane.test';

export interface Held {
  order: Order;
  leaseMs: number;
}

type AttemptKey = Pick<Order, 'number' | 'attempt'>;

/** A robot of one's own as a test plays it, at one web process. */
export function createRobot(api: Api, as = bot) {
  const call = (what: string, body?: unknown): Promise<Answer<Held & Problem>> =>
    api.call<Held & Problem>('POST', `/v1/bots/self/${what}`, { as, body });
  const keyOf = ({ number, attempt }: AttemptKey) => ({ orderNumber: number, attempt });
  return {
    call,
    /** Null when nothing was due. */
    async claim(waitSeconds = 0): Promise<Order | null> {
      const { status, body } = await call(`claim?wait=${waitSeconds}`);
      if (status === 204) return null;
      if (status !== 200) throw new Error(`expected 200 or 204, got ${status}: ${JSON.stringify(body)}`);
      return body.order;
    },
    heartbeat: (order: AttemptKey) => call('heartbeat', keyOf(order)),
    complete: (order: AttemptKey) => call('complete', keyOf(order)),
    fail: (order: AttemptKey, reason: string, retryable: boolean) =>
      call('fail', { ...keyOf(order), reason, retryable }),
  };
}
export type Robot = ReturnType<typeof createRobot>;

/** One more account that may work as a robot. */
export async function addRobotAccount(api: Api, email: string): Promise<Robot> {
  const body = { email, displayName: 'A robot', password: 'twolane-demo', role: 'BOT' };
  const answer = await api.call('POST', '/v1/admin/users', { headers: adminHeader, body });
  if (answer.status !== 201) throw new Error(`expected 201, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return createRobot(api, email);
}

/**
 * Waits until a robot's claims, so many of them, wait at their web processes: each renews the lease once when it comes, and what
 * renews it further is a web process for a robot that waits.
 */
export async function untilWaiting({ database }: Engine, as = bot, claims = 1): Promise<void> {
  let last = '';
  let renewals = -1;
  await until('the robot waits', async () => {
    const [lease] = await database.query<{ until: string }>(
      'SELECT lease_until::text AS until FROM bot_hosts h JOIN bots b ON b.id = h.id JOIN users u ON u.id = b.user_id WHERE u.email = $1',
      [as],
    );
    if (lease && lease.until !== last) renewals += 1;
    last = lease?.until ?? '';
    return renewals > claims;
  });
}

/** As after so long a silence. */
export const endLeases = ({ database }: Engine) =>
  database.query("UPDATE bot_hosts SET lease_until = now() - interval '1 ms' WHERE name = 'robot'");

/** Orders of these lanes, one after the other, each in its lane. */
export async function placeInLanes({ api, database }: Engine, ...lanes: Lane[]): Promise<number[]> {
  const numbers: number[] = [];
  for (const lane of lanes) numbers.push((await api.place(lane)).number);
  await untilHandedOver(database);
  return numbers;
}

/** The order that a robot is given, where one must be due. */
export async function claimed(robot: Robot, waitSeconds = 0): Promise<Order> {
  const order = await robot.claim(waitSeconds);
  if (!order) throw new Error('nothing was due');
  return order;
}

import type { Order } from '../../src/domain/order.ts';
import type { Answer, Api, Problem } from './api.ts';
import { adminHeader } from './engine.ts';

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

/** As after so long a silence. */
export const endLeases = (engine: { database: { query(text: string): Promise<unknown> } }) =>
  engine.database.query("UPDATE bot_hosts SET lease_until = now() - interval '1 ms' WHERE name = 'robot'");

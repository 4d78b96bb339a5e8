import type { Board } from '../../src/domain/board.ts';
import type { Bot } from '../../src/domain/bot.ts';
import type { Lane } from '../../src/domain/lane.ts';
import type { Order, OrderEvent } from '../../src/domain/order.ts';

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface Problem {
  code: string;
  status: number;
  detail: string;
  errors?: { path: string; message: string }[];
}

export const normal = 'normal@twolane.test';
export const vip = 'vip@twolane.test';
export const manager = 'manager@twolane.test';

export interface CallOptions {
  as?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export const samplePassword = 'twolane-demo';
/** Short of the end of an access token. */
const tokenLifeMs = 600_000;

/** The HTTP API as a test calls it. */
export function createApi(baseUrl: () => string) {
  /** By e-mail: a sign-in is made when it is first needed, and kept over restarts of the server. */
  const signIns = new Map<string, { at: number; token: Promise<string> }>();
  const tokenOf = (email: string): Promise<string> => {
    const known = signIns.get(email);
    if (known && Date.now() - known.at < tokenLifeMs) return known.token;
    const token = signIn(email).catch((error: unknown) => {
      signIns.delete(email);
      throw error;
    });
    signIns.set(email, { at: Date.now(), token });
    return token;
  };
  const signIn = async (email: string): Promise<string> => {
    const answer = await call<{ accessToken: string }>('POST', '/v1/auth/login', {
      body: { email, password: samplePassword },
    });
    return expectStatus(answer, 200).accessToken;
  };
  async function call<Body>(
    method: string,
    path: string,
    { as, body, headers }: CallOptions = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(new URL(path, baseUrl()), {
      method,
      headers: {
        ...(as && { authorization: `Bearer ${await tokenOf(as)}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text ? JSON.parse(text) : text) as Body,
    };
  }

  const expectStatus = <Body>(answer: Answer<Body>, status: number): Body => {
    if (answer.status !== status)
      throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };

  const api = {
    call,
    /** An access token of a sample account. */
    tokenOf,
    async place(lane: Lane = 'normal', options: { key?: string; sku?: string } = {}): Promise<Order> {
      const answer = await call<{ order: Order }>('POST', '/v1/orders', {
        as: lane === 'vip' ? vip : normal,
        body: { items: [{ sku: options.sku ?? 'espresso', quantity: 1 }], payment: { method: 'counter' } },
        ...(options.key && { headers: { 'idempotency-key': options.key } }),
      });
      return expectStatus(answer, 201).order;
    },
    async order(number: number): Promise<Order> {
      return expectStatus(await call<{ order: Order }>('GET', `/v1/orders/${number}`, { as: manager }), 200).order;
    },
    async events(number: number): Promise<OrderEvent[]> {
      return expectStatus(
        await call<{ events: OrderEvent[] }>('GET', `/v1/orders/${number}/events`, { as: manager }),
        200,
      ).events;
    },
    async addBot(): Promise<Bot> {
      return expectStatus(await call<{ bot: Bot }>('POST', '/v1/bots', { as: manager }), 201).bot;
    },
    async removeBot(): Promise<{ bot: Bot; returnedOrderNumber: number | null }> {
      return expectStatus(
        await call<{ bot: Bot; returnedOrderNumber: number | null }>('DELETE', '/v1/bots/newest', { as: manager }),
        200,
      );
    },
    async bots(): Promise<Bot[]> {
      return expectStatus(await call<{ bots: Bot[] }>('GET', '/v1/bots', { as: manager }), 200).bots;
    },
    async board(): Promise<Board> {
      return expectStatus(await call<Board>('GET', '/v1/board'), 200);
    },
  };
  return api;
}
export type Api = ReturnType<typeof createApi>;

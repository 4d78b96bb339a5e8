import type { Engine } from '../support/engine.ts';
import { type Accounts, type Caller, openAccounts } from './callers.ts';

/** What is there for requests to be about, and whose it is. */
export interface Scene {
  accounts: Accounts;
  /** Every order that was placed, with who placed it. */
  owners: Map<number, Caller>;
  /** The value with what its placeholders stand for. */
  resolve(value: unknown): unknown;
  /** The order that the next requests are about, more often than not. */
  subject: { orderNumber: number; attempt: number } | undefined;
  /** Before a route has its turn: what it needs to do what it is for. */
  prepare(operationId: string): Promise<void>;
}

interface OrderAnswer {
  order: { number: number; attempt: number };
}

const nobodysOrder = 99_999_999;
/** What is for accounts and sessions that are there, and what ends them. */
const aboutAccounts = ['setRole', 'setRoleAsAdmin', 'setPassword', 'closeAccount', 'refreshSession', 'signOut'];

export async function setScene(engine: Engine): Promise<Scene> {
  const accounts = await openAccounts(engine);
  const owners = new Map<number, Caller>();
  const post = async (caller: Caller, path: string, body: unknown = {}) =>
    (await engine.api.call<OrderAnswer>('POST', path, { headers: accounts.headersOf(caller), body })).body.order;
  const place = async (caller: Caller) => {
    const items = [{ sku: 'espresso', quantity: 1 }];
    const { number } = await post(caller, '/v1/orders', { items, payment: { method: 'counter' } });
    owners.set(number, caller);
  };
  for (const caller of ['NORMAL', 'VIP', 'other NORMAL', 'MANAGER'] as const) await place(caller);
  for (let count = 0; count < 3; count++) await engine.api.addBot();

  const scene: Scene = {
    accounts,
    owners,
    subject: undefined,
    async prepare(operationId) {
      if (aboutAccounts.includes(operationId)) await accounts.renewStrangers();
      if (operationId === 'removeNewestBot') await engine.api.addBot();
      if (!['sendHeartbeat', 'completeOrder', 'failOrder', 'retryOrder'].includes(operationId)) return;
      await place('NORMAL');
      const { number, attempt } = await post('BOT', '/v1/bots/self/claim?wait=10');
      scene.subject = { orderNumber: number, attempt };
      const failure = { ...scene.subject, reason: 'burnt', retryable: false };
      if (operationId === 'retryOrder') await post('BOT', '/v1/bots/self/fail', failure);
    },
    resolve(value) {
      if (typeof value === 'string') return fill(scene, value);
      if (Array.isArray(value)) return value.map(scene.resolve);
      if (typeof value !== 'object' || value === null) return value;
      const filled = Object.entries(value).map(([key, inner]) => [key, scene.resolve(inner)]);
      return Object.fromEntries(filled); // keeps a field named __proto__
    },
  };
  return scene;
}

function fill({ accounts, owners, subject }: Scene, text: string): unknown {
  const [, kind, digits] = /^@(order|account|session|attempt):(\d+)$/.exec(text) ?? [];
  const pick = Number(digits);
  const of = <Item>(items: readonly Item[]) => items[pick % items.length];
  switch (kind) {
    case 'order':
      if (subject && pick % 2 === 0) return subject.orderNumber;
      return pick === 13 ? nobodysOrder : of([...owners.keys()]);
    case 'attempt':
      return subject && pick % 3 !== 1 ? subject.attempt : 1 + pick;
    case 'account':
      return of(accounts.strangers);
    case 'session':
      return of(accounts.sessions);
    default:
      return text;
  }
}

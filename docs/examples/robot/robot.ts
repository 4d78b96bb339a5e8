/**
 * A robot of one's own: takes an order, does it, says so, and takes the next one. Node 24 alone runs it:
 *
 *   TWOLANE_URL=http://127.0.0.1:3000 ROBOT_EMAIL=bot@twolane.test ROBOT_PASSWORD=twolane-demo node robot.ts
 *
 * From a checkout, with the Node that twolane brings: node scripts/run.mjs docs/examples/robot/robot.ts
 *
 * Ctrl-C finishes the order in hand and ends. A second one ends at once: the order goes to another when the lease has ended.
 */
import { env } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

interface Held {
  order: { number: number; lane: string; attempt: number; items: { name: string; quantity: number }[] };
  leaseMs: number;
}
class RefusedError extends Error {}

const { TWOLANE_URL = 'http://127.0.0.1:3000', ROBOT_EMAIL, ROBOT_PASSWORD, WORK_MS = '5000' } = env;
const say = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);

/** Put your own work here. Throw when it cannot be done; `signal` says that the order is not yours any more: stop. */
async function work({ items }: Held['order'], signal: AbortSignal): Promise<void> {
  say(`  ${items.map(({ name, quantity }) => `${quantity} × ${name}`).join(', ')}`);
  await delay(Number(WORK_MS), undefined, { signal });
}

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());
let tokens = { accessToken: '', refreshToken: '' };
let signingIn: Promise<void> | undefined;

function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  const timeout = AbortSignal.timeout(30_000);
  return fetch(new URL(path, TWOLANE_URL), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens.accessToken}` },
    body: JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
}

const pauseOf = ({ headers }: Response) => 1_000 * Number(headers.get('retry-after') ?? 1);

/** By the refresh token, and by the password when that has ended. */
async function signIn(): Promise<void> {
  const { refreshToken } = tokens;
  const refreshed = refreshToken ? await post('/v1/auth/refresh', { refreshToken }) : null;
  const account = { email: ROBOT_EMAIL ?? '', password: ROBOT_PASSWORD ?? '' };
  const answer = refreshed?.ok ? refreshed : await post('/v1/auth/login', account);
  if (answer.ok) tokens = (await answer.json()) as typeof tokens;
  else if (answer.status === 429 || answer.status >= 500) await delay(pauseOf(answer));
  else throw new RefusedError(`sign-in: ${await answer.text()}`);
}

/** Goes on until there is an answer: every call may be repeated. Null: nothing is due, or the order is another's (409). */
async function call(path: string, body: object, signal?: AbortSignal): Promise<Held | null> {
  while (!signal?.aborted) {
    try {
      const answer = await post(`/v1/bots/self/${path}`, body, signal);
      if (answer.status === 204 || answer.status === 409) return null;
      if (answer.ok) return (await answer.json()) as Held;
      if (answer.status === 401) {
        signingIn ??= signIn().finally(() => (signingIn = undefined));
        await signingIn; // one at a time, the heartbeat's included
      } else if (answer.status === 429 || answer.status >= 500) await delay(pauseOf(answer));
      else throw new RefusedError(`${path}: ${await answer.text()}`);
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      await delay(1_000, undefined, { signal }).catch(() => undefined); // no connection
    }
  }
  return null;
}

async function doOrder({ order, leaseMs }: Held): Promise<void> {
  const { number, lane, attempt } = order;
  const key = { orderNumber: number, attempt };
  const gone = new AbortController();
  const heartbeat = async () => (await call('heartbeat', key, gone.signal)) ?? gone.abort();
  const beating = setInterval(() => void heartbeat().catch(() => gone.abort()), leaseMs / 3);
  say(`order ${number} begun (${lane}, attempt ${attempt})`);
  try {
    await work(order, gone.signal);
    say(`order ${number} ${(await call('complete', key)) ? 'complete' : 'let go: it is another’s now'}`);
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    if (gone.signal.aborted) return void say(`order ${number} let go: it is another’s now`);
    await call('fail', { ...key, reason: String(error).slice(0, 500), retryable: true });
    say(`order ${number} failed: ${error}`);
  } finally {
    clearInterval(beating);
    gone.abort();
  }
}

say('robot ready');
while (!stopping.signal.aborted) {
  const held = await call('claim?wait=20', {}, stopping.signal);
  await (held ? doOrder(held) : delay(100));
}
say('robot stopped');

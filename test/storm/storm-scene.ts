import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type PaymentSandbox, startPaymentSandbox } from '../../sandbox/payments/payment-sandbox.ts';
import { type Answer, type CallOptions, createApi } from '../support/api.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { type Backend, testEnvironment } from '../support/engine.ts';
import { type EngineProcess, killAll, startWebProcess, startWorkerProcess } from '../support/engine-process.ts';
import { type ProcessName, processNames } from './storm-script.ts';

/** An engine of seven processes that can be killed one by one, and the providers, which survive. */
export interface StormScene {
  database: TestDatabase;
  sandbox: PaymentSandbox;
  environment: Record<string, string>;
  /** Asks one web process after the other until one answers: as a client behind a balancer. */
  call<Body>(method: string, path: string, options?: CallOptions): Promise<Answer<Body>>;
  /** As `call`, once: null when nobody knows whether it was heard. */
  callOnce<Body>(method: string, path: string, options?: CallOptions): Promise<Answer<Body> | null>;
  /** Kills it as a machine that loses power does, and starts it again at once. Resolves when it is there again; false when it is not there to be killed. */
  kill(name: ProcessName): Promise<boolean>;
  wipeQueues(): Promise<void>;
  /** Of all processes that ever ran. */
  lines(): string[];
  /** What the processes were given and must not say. */
  secrets(): string[];
  close(): Promise<void>;
}

/** No answer is waited for longer; the weather's slow ones are slower. */
export const paymentTimeoutMs = 600;
const askAgainMs = 100;
const answerWithinMs = 45_000;

export async function openStormScene(backend: Backend): Promise<StormScene> {
  const database = await cloneDatabase();
  const sandbox = await startPaymentSandbox({ seed: 'storm' });
  const environment = testEnvironment(backend, database.url, {
    ...sandbox.settings,
    LOG_LEVEL: 'info',
    PAYMENT_TIMEOUT: `${paymentTimeoutMs}ms`,
    BOT_HANDLER: 'test/support/scripted-handler.ts',
    BOT_CAPACITY: '6',
  });
  const ports = { 'web-1': await freePort(), 'web-2': await freePort() };
  sandbox.sendTo({
    stripe: `http://127.0.0.1:${ports['web-1']}/v1/webhooks/stripe`,
    paypal: `http://127.0.0.1:${ports['web-2']}/v1/webhooks/paypal`,
  });
  const running = new Map<ProcessName, EngineProcess>();
  const everStarted: EngineProcess[] = [];

  const start = async (name: ProcessName): Promise<void> => {
    const started =
      name === 'web-1' || name === 'web-2'
        ? await startWebProcess({ ...environment, PORT: String(ports[name]) })
        : await startWorkerProcess(
            [name === 'relay' ? 'relay' : name.startsWith('bots') ? 'bots' : 'payments'],
            environment,
          );
    running.set(name, started);
    everStarted.push(started);
  };
  await Promise.all(processNames.map(start));

  const urls = Object.values(ports).map((port) => `http://127.0.0.1:${port}`);
  const apis = urls.map((url) => createApi(() => url));
  let turn = 0;
  const callOnce = async <Body>(method: string, path: string, options: CallOptions = {}) => {
    const api = apis[turn++ % apis.length] ?? apis[0];
    try {
      const answer = await api?.call<Body>(method, path, options);
      return answer && answer.status !== 503 ? answer : null;
    } catch {
      return null; // the connection broke, or there was none
    }
  };

  return {
    database,
    sandbox,
    environment,
    callOnce,
    async call(method, path, options) {
      const giveUpAt = Date.now() + answerWithinMs;
      for (;;) {
        const answer = await callOnce<never>(method, path, options);
        if (answer) return answer;
        if (Date.now() > giveUpAt) throw new Error(`${method} ${path}: no answer within ${answerWithinMs} ms`);
        await delay(askAgainMs);
      }
    },
    async kill(name) {
      const victim = running.get(name);
      if (!victim) return false; // it is being started again already
      running.delete(name);
      await killAll([victim]);
      await start(name);
      return true;
    },
    wipeQueues: () => wipeQueues(backend, database, environment),
    lines: () => everStarted.flatMap(({ lines }) => lines),
    secrets: () => [
      ...['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET', 'PAYPAL_CLIENT_SECRET', 'JWT_SECRET', 'ADMIN_PASSWORD'].flatMap(
        (name) => environment[name] ?? [],
      ),
      new URL(database.url).password,
    ],
    async close() {
      await killAll([...running.values()]);
      await wipeQueues(backend, database, environment);
      await sandbox.close();
      await database.drop();
    },
  };
}

async function wipeQueues(
  backend: Backend,
  database: TestDatabase,
  environment: Record<string, string>,
): Promise<void> {
  if (backend === 'postgres') {
    const tables = await database.query<{ name: string }>(
      "SELECT 'bullmq.' || tablename AS name FROM pg_tables WHERE schemaname = 'bullmq' AND tablename <> 'migration'",
    );
    await database.query(`TRUNCATE ${tables.map(({ name }) => name).join(', ')}`);
    return;
  }
  // The store of others may be on the same server: only what is ours is lost.
  const redis = new Redis(environment.REDIS_URL ?? '');
  const keys = await redis.keys(`${(environment.QUEUE_PREFIX ?? '').replaceAll(/[{}]/g, '\\$&')}*`);
  if (keys.length > 0) await redis.unlink(keys);
  redis.disconnect();
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  await once(server.close(), 'close');
  return port;
}

import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { countBots } from '../db/bots.ts';
import { listLaneWaits } from '../db/lane-waits.ts';
import type { Database } from '../db/pool.ts';
import { readQueueStatus } from '../operations/read-queue-status.ts';
import { within } from '../operations/within.ts';
import type { AppDeps } from './app-deps.ts';
import { measureBackups } from './backup-metrics.ts';
import { measureMail } from './mail-metrics.ts';
import { type GaugeMaker, measurePayments } from './payment-metrics.ts';

export interface Metrics {
  contentType: string;
  /** In the text format of Prometheus. What cannot be read is left out, and said so by `twolane_reachable`. */
  read(): Promise<string>;
}

const readMs = 2_000;

/** This process, its requests from now on, and the engine as the database and the queues know it. */
export function measure(app: FastifyInstance, { database, store }: Pick<AppDeps, 'database' | 'store'>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'twolane_' });
  measureRequests(app, registry);
  const parts = {
    database: measureOrders(registry, database),
    payment_figures: measurePayments(gaugeIn(registry), database),
    mail_figures: measureMail(gaugeIn(registry), database),
    backup_figures: measureBackups(gaugeIn(registry), database),
    queue_store: measureQueues(registry, { database, store }),
  };
  const reachable = new Gauge({
    name: 'twolane_reachable',
    help: '1 where this part could be read for the metrics; it says nothing of payment providers',
    labelNames: ['part'] as const,
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    async read() {
      await Promise.all(
        Object.entries(parts).map(async ([part, { gauges, fill }]) => {
          for (const gauge of gauges) {
            gauge.reset();
            gauge.remove({}); // one without labels would say 0, which may not be true
          }
          const isThere = await within(readMs, part, fill()).then(
            () => true,
            () => false,
          );
          reachable.set({ part }, isThere ? 1 : 0);
        }),
      );
      return registry.metrics();
    },
  };
}

interface Part {
  gauges: Gauge[];
  fill(): Promise<void>;
}

/** Counts every answer by its route, never by its path: an order's number must not become a label. */
function measureRequests(app: FastifyInstance, registry: Registry): void {
  const duration = new Histogram({
    name: 'twolane_http_request_duration_seconds',
    help: 'From the arrival of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  app.addHook('onResponse', (request, reply, done) => {
    duration.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode },
      reply.elapsedTime / 1_000,
    );
    done();
  });
}

function gaugeIn(registry: Registry): GaugeMaker {
  return (name, help, ...labelNames) => new Gauge({ name: `twolane_${name}`, help, labelNames, registers: [registry] });
}

function measureOrders(registry: Registry, { pool }: Database): Part {
  const gauge = gaugeIn(registry);
  const waiting = gauge('waiting_orders', 'Orders that wait for a bot', 'lane');
  const oldest = gauge('oldest_waiting_order_seconds', 'How long the next order of a lane has waited', 'lane');
  const bots = gauge('bots', 'Bots by what they do; unassigned ones have no living host', 'status');
  return {
    gauges: [waiting, oldest, bots],
    async fill() {
      const [waits, counts] = await Promise.all([listLaneWaits(pool), countBots(pool)]);
      for (const wait of waits) {
        waiting.set({ lane: wait.lane }, wait.waiting);
        oldest.set({ lane: wait.lane }, wait.oldestSeconds);
      }
      bots.set({ status: 'idle' }, counts.idle);
      bots.set({ status: 'processing' }, counts.processing);
      bots.set({ status: 'unassigned' }, counts.total - counts.idle - counts.processing);
    },
  };
}

function measureQueues(registry: Registry, { database, store }: Pick<AppDeps, 'database' | 'store'>): Part {
  const gauge = gaugeIn(registry);
  const jobs = gauge('queue_jobs', 'Jobs of a queue by state', 'queue', 'state');
  const paused = gauge('queue_paused', '1 while somebody has paused the queue', 'queue');
  const outbox = gauge('outbox_jobs', 'Jobs that are due and not in their queue yet');
  const lag = gauge('outbox_lag_seconds', 'How long the oldest of them is due');
  return {
    gauges: [jobs, paused, outbox, lag],
    async fill() {
      const status = await readQueueStatus({ pool: database.pool, store });
      outbox.set(status.outbox.waiting);
      lag.set(status.outbox.oldestSeconds);
      for (const { name, paused: isPaused, ...counts } of status.queues) {
        paused.set({ queue: name }, isPaused ? 1 : 0);
        for (const [state, count] of Object.entries(counts)) jobs.set({ queue: name, state }, count);
      }
    },
  };
}

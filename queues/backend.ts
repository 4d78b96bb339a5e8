import {
  createPostgresBackend,
  type IQueueBackend,
  type Processor,
  Queue,
  runMigrations,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

/** Where the queues live. Everything that differs between Redis and Postgres is in this file. */
export interface QueueStore {
  kind: 'redis' | 'postgres';
  /** One `Queue` object per name, opened on first use. */
  queue(name: string): Queue;
  /** A worker without a processor: its owner pulls jobs by `getNextJob`. */
  createPullWorker(name: string, options: LaneWorkerOptions): PullWorker;
  /** A worker that is given its jobs and begins at once. */
  createJobWorker(name: string, processor: Processor, options: JobWorkerOptions): PullWorker;
  /** Moves waiting jobs to the front (the last one named ends up first) or to the back. Jobs that do not wait stay where they are. */
  moveJobs(name: string, jobIds: readonly string[], to: 'front' | 'back'): Promise<void>;
  /**
   * Takes active jobs back to the front of their queue, the last one named ends up first. In one step, so that a bot that is
   * waiting for them takes the right one. A job that is not active any more, or is another's, is left alone. Gives the ids of
   * those that the store does not have at all.
   */
  returnJobs(name: string, jobs: readonly ActiveJob[]): Promise<string[]>;
  /** The jobs that are claimed now, with the name of the worker that has them. */
  listActive(name: string): Promise<{ id: string; claimedBy: string | undefined }[]>;
  /** Whether nothing waits: asked before a take that is likely to find nothing. */
  isEmpty(name: string): Promise<boolean>;
  /** The ids of all waiting jobs, the next one first. */
  listWaiting(name: string): Promise<string[]>;
  /**
   * Wakes another waiting process. Redis gives the wake-up of a job to one waiter alone, so a process that cannot serve it passes
   * it on (measured: 4 ms instead of 844 ms until the next bot starts). Postgres tells everybody: nothing to do.
   */
  passOnMarker(worker: PullWorker): Promise<void>;
  /** Throws when the store cannot be reached. */
  ping(): Promise<void>;
  /** Null when the store is new, wiped, or was filled by somebody else. */
  readMarker(): Promise<string | null>;
  writeMarker(marker: string): Promise<void>;
  /** Changes when the store was restarted and may have lost its latest jobs. */
  runId(): Promise<string>;
  close(): Promise<void>;
}

export interface ActiveJob {
  id: string;
  /** What it was claimed with, or `anyToken`. */
  token: string;
}

/** Whoever has claimed the job: for jobs of a host that is known to be dead. */
export const anyToken = '0';

export type LaneWorkerOptions = Pick<
  WorkerOptions,
  'name' | 'lockDuration' | 'stalledInterval' | 'maxStalledCount' | 'removeOnComplete' | 'removeOnFail'
>;

export type JobWorkerOptions = LaneWorkerOptions & Pick<WorkerOptions, 'concurrency' | 'settings'>;

// biome-ignore lint/suspicious/noExplicitAny: BullMQ's own defaults for job data and results; ours are parsed where a job is read.
export type PullWorker = Worker<any, any, string, IQueueBackend>;

export interface QueueStoreSettings {
  databaseUrl: string;
  redisUrl: string | null;
  prefix: string;
  /** A producer fails at once when the store is away; a worker waits for it. */
  role: 'producer' | 'worker';
  /** Connections for the Postgres backend; each waiting lane keeps one. */
  poolSize?: number;
  onError(error: Error): void;
}

/** The schema of BullMQ's Postgres backend. */
const schema = 'bullmq';
/** Ours; with fewer events kept than the default, an idle lane costs Redis less. */
const streams = { events: { maxLen: 1_000 } };

export function openQueueStore(settings: QueueStoreSettings): QueueStore {
  return settings.redisUrl ? openRedisStore(settings, settings.redisUrl) : openPostgresStore(settings);
}

function openRedisStore({ prefix, role, onError }: QueueStoreSettings, url: string): QueueStore {
  const connection = new Redis(url, {
    maxRetriesPerRequest: role === 'worker' ? null : 1,
    enableOfflineQueue: role === 'worker',
    retryStrategy: (times) => Math.min(times * 50, 500),
    connectTimeout: 5_000,
    ...(role === 'producer' && { commandTimeout: 10_000 }), // a store that is frozen, not gone
  });
  connection.on('error', onError);
  /** Before the first connection everything waits, a producer too; BullMQ would keep a queue whose opening failed broken for good. */
  const opened = new Promise<void>((resolve) => connection.once('ready', () => resolve()));
  const markerKey = `${prefix}:twolane-marker`;
  const queues = new Map<string, Queue>();
  const queueOf = (name: string) => {
    const open = queues.get(name) ?? new Queue(name, { connection, prefix, streams });
    if (!queues.has(name)) open.on('error', onError);
    queues.set(name, open);
    return open;
  };
  return {
    kind: 'redis',
    queue: queueOf,
    createPullWorker(name, options) {
      const worker: PullWorker = new Worker(name, null, { connection, prefix, autorun: false, ...options });
      return worker;
    },
    createJobWorker: (name, processor, options) => new Worker(name, processor, { connection, prefix, ...options }),
    async moveJobs(name, jobIds, to) {
      const backend = queueOf(name).getBackend();
      // One connection carries out what it is sent in order, so this is one trip.
      await Promise.all(jobIds.map((jobId) => backend.changePriority(jobId, 0, to === 'front').catch(ignoreLostJob)));
    },
    async returnJobs(name, jobs) {
      const backend = queueOf(name).getBackend();
      const codes = await Promise.all(
        jobs.map(({ id, token }) => backend.retryJob(id, true, token).then(() => 0, ignoreLostJob)),
      );
      return jobs.flatMap(({ id }, index) => (codes[index] === missingJob ? [id] : []));
    },
    isEmpty: (name) => connection.llen(`${prefix}:${name}:wait`).then((length) => length === 0),
    listActive: (name) => listActive(queueOf(name)),
    listWaiting: (name) => connection.lrange(`${prefix}:${name}:wait`, 0, -1).then((jobIds) => jobIds.reverse()),
    async passOnMarker(worker) {
      const marker = worker.getBackend().keys.marker;
      if (marker) await connection.zadd(marker, 0, '0');
    },
    async ping() {
      await opened;
      await connection.ping();
    },
    async readMarker() {
      await opened;
      return connection.get(markerKey);
    },
    async writeMarker(marker) {
      await connection.set(markerKey, marker);
    },
    async runId() {
      await opened;
      return /run_id:(\w+)/.exec(await connection.info('server'))?.[1] ?? '';
    },
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      connection.disconnect();
    },
  };
}

function openPostgresStore({ databaseUrl, prefix, poolSize, onError }: QueueStoreSettings): QueueStore {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: poolSize ?? 6,
    options: `-c search_path=${schema}`,
    application_name: 'twolane queues',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  pool.on('error', onError);
  const queues = new Map<string, Queue>();
  const queueOf = (name: string) => {
    const open =
      queues.get(name) ??
      new Queue(name, { connection: pool as never, prefix, streams }, createPostgresBackend as never);
    if (!queues.has(name)) open.on('error', onError);
    queues.set(name, open);
    return open;
  };
  return {
    kind: 'postgres',
    queue: queueOf,
    createPullWorker(name, options) {
      return new Worker(
        name,
        null,
        { connection: pool as never, prefix, autorun: false, ...options },
        createPostgresBackend as never,
      );
    },
    createJobWorker: (name, processor, options) =>
      new Worker(name, processor, { connection: pool as never, prefix, ...options }, createPostgresBackend as never),
    // BullMQ's own functions, for several jobs in one statement; the pool would carry single calls out in any order.
    async moveJobs(name, jobIds, to) {
      await pool.query(
        'SELECT change_priority($1, job_id, 0, $3) FROM unnest($2::text[]) WITH ORDINALITY AS moved (job_id, place) ORDER BY place',
        [name, jobIds, to === 'front'],
      );
    },
    async returnJobs(name, jobs) {
      await pool.query(
        `SELECT retry_job($1, given.id, given.token, true, NULL, NULL)
         FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS given (id, token, place)
         JOIN job ON job.queue = $1 AND job.id = given.id AND job.state = 'active' AND (given.token = '0' OR job.lock_token = given.token)
         ORDER BY given.place`,
        [name, jobs.map(({ id }) => id), jobs.map(({ token }) => token)],
      );
      const { rows } = await pool.query<{ id: string }>(
        'SELECT id FROM unnest($2::text[]) AS given (id) WHERE NOT EXISTS (SELECT FROM job WHERE job.queue = $1 AND job.id = given.id)',
        [name, jobs.map(({ id }) => id)],
      );
      return rows.map(({ id }) => id);
    },
    async isEmpty(name) {
      const { rowCount } = await pool.query("SELECT FROM job WHERE queue = $1 AND state = 'waiting' LIMIT 1", [name]);
      return rowCount === 0;
    },
    listActive: (name) => listActive(queueOf(name)),
    async listWaiting(name) {
      const [jobIds] = await queueOf(name).getBackend().getRanges(['waiting'], 0, -1, true);
      return (jobIds ?? []).reverse(); // it gives the last one first, as a Redis list
    },
    async passOnMarker() {},
    async ping() {
      await pool.query('SELECT FROM twolane_marker'); // its tables are there, too
    },
    async readMarker() {
      const { rows } = await pool.query<{ marker: string }>('SELECT marker FROM twolane_marker');
      return rows[0]?.marker ?? null;
    },
    async writeMarker(marker) {
      await pool.query(
        'INSERT INTO twolane_marker (marker) VALUES ($1) ON CONFLICT (one) DO UPDATE SET marker = excluded.marker',
        [marker],
      );
    },
    async runId() {
      return 'postgres'; // its jobs are as durable as the orders: a restart loses none
    },
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await pool.end();
    },
  };
}

/** Creates or upgrades the tables of BullMQ's Postgres backend, and the marker beside them. */
export async function migrateQueueStore(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await runMigrations(client, schema);
    await client.query(`CREATE TABLE IF NOT EXISTS ${schema}.twolane_marker (
      one boolean PRIMARY KEY DEFAULT true CHECK (one), marker text NOT NULL)`);
  } finally {
    await client.end();
  }
}

/**
 * Whether Redis itself was not reached, or was and cannot serve: the words of the client, which has no codes for them. A Postgres
 * that is away says so as for the orders.
 */
export function isQueueStoreAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return redisAway.test(error.message) || error.name === 'MaxRetriesPerRequestError' || isQueueStoreAway(error.cause);
}

const redisAway =
  /^(Stream isn't writeable|Connection is closed|Command timed out|Socket closed unexpectedly)|^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY) /;

const missingJob = -1;
/** BullMQ's codes for a job that is gone, whose lock is gone or another's, or that is not active: it is in other hands. */
const lostJobCodes = [missingJob, -2, -3, -6];

function ignoreLostJob(error: unknown): number {
  const code = (error as { code?: number }).code ?? 0;
  if (!lostJobCodes.includes(code)) throw error;
  return code;
}

async function listActive(queue: Queue): Promise<{ id: string; claimedBy: string | undefined }[]> {
  const jobs = await queue.getJobs(['active']);
  // A job that ended between the two reads of this call comes as undefined.
  return jobs.flatMap((job) => (job?.id ? [{ id: job.id, claimedBy: job.processedBy }] : []));
}

import { Redis } from 'ioredis';
import { laneQueues } from '../../queues/lanes.ts';
import { type Lane, lanes } from '../../src/domain/lane.ts';
import type { Engine } from './engine.ts';
import type { TimelineOrder, Wait } from './timeline.ts';

interface LaneEvent {
  lane: Lane;
  event: string;
  jobId: string;
  /** By the clock of the queue store, when it carried out the add or the claim. */
  at: number;
}

/** The queue store's own account of every job, written in the order in which it happened. Both stores keep only the latest events, so it is read all the time. */
export interface LaneRecord {
  stop(): Promise<LaneEvent[]>;
}

const everyMs = 100;

export function recordLanes(engine: Engine): LaneRecord {
  const events: LaneEvent[] = [];
  const source = engine.config.redisUrl ? readRedisEvents(engine, engine.config.redisUrl) : readPostgresEvents(engine);
  let isStopping = false;
  const reading = (async () => {
    while (!isStopping) {
      events.push(...(await source.read()));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    events.push(...(await source.read()));
    source.close();
    return events;
  })();
  return {
    async stop() {
      isStopping = true;
      return reading;
    },
  };
}

/** From each job's arrival in its lane to the claim that took it. */
export function waitsInLane(events: readonly LaneEvent[], orders: readonly TimelineOrder[]): Wait[] {
  return orders.flatMap(({ number, lane, dueSeq }) => {
    const own = events.filter(({ jobId }) => jobId === `order-${number}-1`);
    const arrivals = own.filter(({ event }) => event === 'waiting');
    const claims = own.filter(({ event }) => event === 'active');
    return claims.flatMap((claim, index) => {
      const arrival = arrivals[index];
      return arrival ? [{ number, lane, dueSeq, from: arrival.at, to: claim.at }] : [];
    });
  });
}

function readRedisEvents({ config }: Engine, url: string) {
  const redis = new Redis(url);
  const last: Record<Lane, string> = { vip: '-', normal: '-' };
  return {
    async read(): Promise<LaneEvent[]> {
      const found: LaneEvent[] = [];
      for (const lane of lanes) {
        const entries = await redis.xrange(`${config.queuePrefix}:${laneQueues[lane].name}:events`, last[lane], '+');
        for (const [id, fields] of entries) {
          const field = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
          found.push({ lane, event: field('event'), jobId: field('jobId'), at: Number(id.split('-')[0]) });
          last[lane] = `(${id}`;
        }
      }
      return found;
    },
    close: () => redis.disconnect(),
  };
}

function readPostgresEvents({ database }: Engine) {
  const seen = new Set<string>();
  return {
    async read(): Promise<LaneEvent[]> {
      const rows = await database.query<{ id: string; queue: string; event: string; jobId: string; at: string }>(
        `SELECT id, queue, event, data->>'jobId' AS "jobId", created_at_ms AS at FROM bullmq.event ORDER BY id DESC LIMIT 3000`,
      );
      const fresh = rows.filter(({ id }) => !seen.has(id)).reverse();
      for (const { id } of fresh) seen.add(id);
      return fresh.flatMap(({ queue, event, jobId, at }) => {
        const lane = lanes.find((name) => laneQueues[name].name === queue);
        return lane ? [{ lane, event, jobId, at: Number(at) }] : [];
      });
    },
    close: () => {},
  };
}

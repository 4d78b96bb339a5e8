import { z } from 'zod';
import { type Lane, laneSchema } from '../domain/lane.ts';
import { type Db, int8, sql } from './sql.ts';

export interface LaneWait {
  lane: Lane;
  waiting: number;
  /** How long the order that is next has waited; 0 when none waits. */
  oldestSeconds: number;
}

/** What waits in each lane by the database's account. */
export function listLaneWaits(db: Db): Promise<readonly LaneWait[]> {
  return db.any(sql.type(z.object({ lane: laneSchema, waiting: int8, oldestSeconds: z.number() }))`
    SELECT lane.lane, (SELECT count(*) FROM orders WHERE status = 'pending' AND orders.lane = lane.lane) AS waiting,
           coalesce(extract(epoch FROM now() - (
             SELECT placed_at FROM orders WHERE status = 'pending' AND orders.lane = lane.lane ORDER BY due_seq LIMIT 1
           )), 0)::float8 AS "oldestSeconds"
    FROM (VALUES ('vip'), ('normal')) AS lane (lane)
  `);
}

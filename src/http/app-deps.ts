import type { FastifyBaseLogger } from 'fastify';
import type { QueueStore } from '../../queues/backend.ts';
import type { Config } from '../config.ts';
import type { Database } from '../db/pool.ts';
import type { Catalogue } from '../operations/catalogue.ts';
import type { OrderIntake } from '../operations/order-intake.ts';
import type { Authenticate } from './authenticate.ts';
import type { BoardFeed } from './board/board-feed.ts';

/** What the routes work with. */
export interface AppDeps {
  config: Config;
  database: Database;
  store: QueueStore;
  catalogue: Catalogue;
  intake: OrderIntake;
  board: BoardFeed;
  authenticate: Authenticate;
  announce(): void;
  log: FastifyBaseLogger;
}

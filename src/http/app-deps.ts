import type { FastifyBaseLogger } from 'fastify';
import type { Redis } from 'ioredis';
import type { QueueStore } from '../../queues/backend.ts';
import type { AccessTokens } from '../accounts/access-tokens.ts';
import type { Config } from '../config.ts';
import type { Database } from '../db/pool.ts';
import type { Catalogue } from '../operations/catalogue.ts';
import type { CheckoutDesk } from '../operations/checkout-desk.ts';
import type { MediaLibrary } from '../operations/media-library.ts';
import type { OrderIntake } from '../operations/order-intake.ts';
import type { PaymentGateways } from '../operations/payment-deps.ts';
import type { RobotDesk } from '../operations/robot-desk.ts';
import type { SessionCache } from '../operations/session-cache.ts';
import type { WebhookInbox } from '../operations/webhook-inbox.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { BoardFeed } from './board/board-feed.ts';

/** What the routes work with. */
export interface AppDeps {
  config: Config;
  database: Database;
  store: QueueStore;
  catalogue: Catalogue;
  media: MediaLibrary;
  intake: OrderIntake;
  gateways: PaymentGateways;
  checkouts: CheckoutDesk;
  webhooks: WebhookInbox;
  board: BoardFeed;
  robots: RobotDesk;
  tokens: AccessTokens;
  sessions: Pick<SessionCache, 'find' | 'forget'>;
  /** Null: not set up. */
  files: ObjectStore | null;
  /** For caches and rate limits; null where the queues live in Postgres. */
  redis: Redis | null;
  announce(): void;
  wakeRelay(): void;
  log: FastifyBaseLogger;
}

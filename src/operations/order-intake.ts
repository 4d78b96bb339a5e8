import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { isConflict, isConnectionFault, isMissingUser, isRowFault } from '../db/fault.ts';
import { findOrdersByKey, findPlaced, insertOrders, type OrderDraft } from '../db/order-intake.ts';
import type { Database } from '../db/pool.ts';
import {
  ForbiddenError,
  IdempotencyKeyReusedError,
  IntakeOverloadedError,
  PaymentMethodUnavailableError,
  ServiceUnavailableError,
  UnauthenticatedError,
} from '../domain/errors.ts';
import type { OrderRequest } from '../domain/order.ts';
import { assertMay, may } from '../domain/permissions.ts';
import { priceOrder } from '../domain/price-order.ts';
import type { Product } from '../domain/product.ts';
import { type Actor, laneOf } from '../domain/user.ts';
import type { Logger } from '../log.ts';
import type { Catalogue } from './catalogue.ts';
import { GroupCommit } from './group-commit.ts';
import type { HandOver } from './hand-over.ts';
import type { PaymentGateways } from './payment-deps.ts';

export interface OrderIntakeDeps {
  database: Database;
  catalogue: Catalogue;
  handOver: HandOver;
  /** Who takes money online here. */
  gateways: PaymentGateways;
  /** Told after each group: there is something new on the board. */
  announce(): void;
  log: Logger;
  /** Orders that may wait for their group before the next is refused with `intake_overloaded`. */
  maxWaiting: number;
  /** Called between the commit of a group and its hand-over: the failpoint of the tests. */
  afterCommit?: (() => void) | undefined;
}

/** An order that was just written. */
export interface FreshOrder {
  number: number;
  placedAt: number;
  isReplay: false;
  draft: OrderDraft;
}

/** The key was used before by the same request: this is its order. */
interface ReplayedOrder {
  number: number;
  placedAt: number;
  isReplay: true;
}

export type AcceptedOrder = FreshOrder | ReplayedOrder;

/** One request under one key of one customer. */
type KeyUse = Record<'userId' | 'idempotencyKey' | 'requestHash', string>;

const maxBatch = 500;
/** A restart of Postgres takes less; longer, and the customer is better served by an answer. */
const reconnectForMs = 5_000;

/**
 * The life of an order on its way in:
 *
 * 1. `place` prices it from the catalogue and gives it a key that no retry of ours changes.
 * 2. It joins the group that is forming; a full waiting room refuses it at once.
 * 3. The group is written by one statement: orders, items, events, payments and one outbox row per lane. What is paid online waits for its
 *    payment before it is due.
 * 4. An order that meets its own idempotency key is answered with the first one, or refused if the request differs.
 * 5. A row that Postgres refuses is found by halving the group; its neighbours are written.
 * 6. A connection lost during the commit leaves it open whether the group was written: the keys are looked up, and what is missing is written.
 * 7. After the commit the callers have their answer and the jobs go to their lanes in bulk (`HandOver`).
 */
export class OrderIntake {
  readonly #deps: OrderIntakeDeps;
  readonly #group: GroupCommit<OrderDraft, AcceptedOrder>;
  /** The first use of each key, until it is answered: a group never holds the same key twice. */
  readonly #underWay = new Map<string, { requestHash: string; accepted: Promise<AcceptedOrder> }>();

  constructor(deps: OrderIntakeDeps) {
    this.#deps = deps;
    this.#group = new GroupCommit({
      write: (drafts) => this.#write(drafts),
      maxBatch,
      isItemFault: isRowFault,
    });
  }

  /** Resolves once the order is durable. A repeat of a key waits for the first of it, and is answered with its order. */
  async place(actor: Actor, request: OrderRequest, idempotencyKey: string | null): Promise<AcceptedOrder> {
    if (this.#group.waiting >= this.#deps.maxWaiting) throw new IntakeOverloadedError(this.#group.waiting);
    assertMay(actor, 'order:place');
    if (request.lane && !may(actor, 'order:choose-lane')) throw new ForbiddenError('Only a manager chooses the lane.');
    if (idempotencyKey === null) return this.#submit(this.#draft(actor, request));

    const key = `${actor.userId} ${idempotencyKey}`;
    const use: KeyUse = { userId: actor.userId, idempotencyKey, requestHash: hashRequest(request) };
    for (let first = this.#underWay.get(key); first; first = this.#underWay.get(key)) {
      const accepted = await first.accepted.catch(() => null); // the first was refused: this one may be the order
      if (accepted) return replayOf(use, first.requestHash, accepted);
    }
    const accepted = this.#placeKeyed(actor, request, use);
    this.#underWay.set(key, { requestHash: use.requestHash, accepted });
    try {
      return await accepted;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #placeKeyed(actor: Actor, request: OrderRequest, use: KeyUse): Promise<AcceptedOrder> {
    let draft: OrderDraft;
    try {
      draft = { ...this.#draft(actor, request), ...use };
    } catch (refusal) {
      // What was sold out since then does not undo an order: its repeat is still answered with it.
      const [earlier] = await findOrdersByKey(this.#deps.database.writer, [use]);
      if (earlier) return replayOf(use, earlier.requestHash, earlier);
      throw refusal;
    }
    return this.#submit(draft);
  }

  #draft(actor: Actor, request: OrderRequest): OrderDraft {
    const draft = draftOrder(actor, request, this.#deps.catalogue.products());
    assertPayable(draft, this.#deps.gateways);
    return draft;
  }

  async #submit(draft: OrderDraft): Promise<AcceptedOrder> {
    try {
      return await this.#group.submit(draft);
    } catch (error) {
      if (isMissingUser(error)) throw new UnauthenticatedError('Your account was removed.');
      throw error;
    }
  }

  async settle(): Promise<void> {
    await this.#group.settle();
    await this.#deps.handOver.settle();
  }

  async #write(drafts: OrderDraft[]): Promise<(AcceptedOrder | Error)[]> {
    const placed = await this.#insert(drafts);
    const conflicting = drafts.filter((draft) => !placed.has(draft.id));
    const earlier = conflicting.length === 0 ? [] : await findOrdersByKey(this.#deps.database.writer, conflicting);
    return drafts.map((draft) => {
      const fresh = placed.get(draft.id);
      if (fresh) return { ...fresh, draft, isReplay: false };
      const first = earlier.find(
        (order) => order.userId === draft.userId && order.idempotencyKey === draft.idempotencyKey,
      );
      if (!first) return new ServiceUnavailableError('The earlier order of this Idempotency-Key');
      if (first.requestHash !== draft.requestHash) return new IdempotencyKeyReusedError();
      return { number: first.number, placedAt: first.placedAt, draft, isReplay: true };
    });
  }

  async #insert(drafts: OrderDraft[]) {
    const { database, handOver, log } = this.#deps;
    const giveUpAt = Date.now() + reconnectForMs;
    const found: Awaited<ReturnType<typeof findPlaced>> = new Map();
    for (let isRetry = false; ; isRetry = true) {
      const handedOver = handOver.takeHandedOver();
      try {
        if (isRetry) for (const [id, order] of await findPlaced(database.writer, drafts)) found.set(id, order);
        const missing = drafts.filter((draft) => !found.has(draft.id));
        if (missing.length === 0) return found; // the relay hands over what was committed behind a lost connection
        const { placed, outbox } = await insertOrders(database.writer, missing, handedOver);
        this.#deps.afterCommit?.();
        for (const { id, queue, orderNumbers } of outbox)
          handOver.add(
            id,
            queue,
            orderNumbers.map((orderNumber) => ({ orderNumber, enqueueNo: 1 })),
          );
        if (placed.size > 0) this.#deps.announce();
        for (const [id, order] of found) placed.set(id, order);
        return placed;
      } catch (error) {
        handOver.putBack(handedOver);
        const isLost = isConnectionFault(error);
        if (!isLost && !isConflict(error)) throw error;
        if (Date.now() > giveUpAt) throw new ServiceUnavailableError('The database', error);
        log.warn({ error: (error as Error).message, orders: drafts.length }, 'group commit interrupted, trying again');
        if (isLost) await delay(100);
      }
    }
  }
}

function draftOrder(actor: Actor, request: OrderRequest, catalogue: ReadonlyMap<string, Product>): OrderDraft {
  const priced = priceOrder(request.items, catalogue);
  return {
    id: uuidv7(),
    userId: actor.userId,
    actor: actor.role === 'MANAGER' ? 'manager' : 'customer',
    lane: request.lane ?? laneOf(actor.role),
    currency: priced.currency,
    totalMinor: priced.totalMinor,
    paymentMethod: request.payment.method,
    customerName: request.customerName ?? null,
    note: request.note ?? null,
    idempotencyKey: null,
    requestHash: null,
    items: priced.items,
  };
}

function assertPayable({ paymentMethod, totalMinor, currency }: OrderDraft, gateways: PaymentGateways): void {
  if (paymentMethod === 'counter') return;
  const gateway = gateways[paymentMethod];
  if (!gateway) throw new PaymentMethodUnavailableError(paymentMethod);
  const reason =
    totalMinor === 0 ? 'There is nothing to pay.' : gateway.whyNotPayable({ amountMinor: totalMinor, currency });
  if (reason) throw new PaymentMethodUnavailableError(paymentMethod, reason);
}

const hashRequest = (request: OrderRequest) => createHash('sha256').update(JSON.stringify(request)).digest('hex');

function replayOf(
  use: KeyUse,
  firstHash: string,
  { number, placedAt }: { number: number; placedAt: number },
): ReplayedOrder {
  if (firstHash !== use.requestHash) throw new IdempotencyKeyReusedError();
  return { number, placedAt, isReplay: true };
}

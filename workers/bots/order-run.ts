import type { Claim, Ending } from '../../queues/pulled-lane.ts';
import { notify } from '../../src/db/notify.ts';
import { failAttempt, type ReturnReason, takeOverOrder } from '../../src/db/order-returns.ts';
import { findHandlerOrder, findOrderState } from '../../src/db/orders.ts';
import type { Database } from '../../src/db/pool.ts';
import { untilReachable } from '../../src/db/until-reachable.ts';
import type { Logger } from '../../src/log.ts';
import { type Handler, type HandlerOrder, isRetryable } from './handlers/handler.ts';
import type { OrderCommitter } from './order-committer.ts';

/** One bot with the order in its hands. */
export interface BotInHand {
  id: string;
  number: number;
  orderNumber: number;
  /** 0 until the start is committed. */
  attempt: number;
  progress: number | null;
  abort: AbortController;
}

export interface OrderRunDeps {
  database: Database;
  committer: OrderCommitter;
  handler: Handler;
  announce(): void;
  maxAttempts: number;
  log: Logger;
  /** Once true, a Postgres that is away is not waited for any more. */
  isStopping(): boolean;
}

/** Why a running order is let go; `superseded` when the fence was found closed. */
export class LetGoError extends Error {
  readonly reason: ReturnReason | 'superseded';

  constructor(reason: ReturnReason | 'superseded') {
    super(`order let go: ${reason}`);
    this.name = 'LetGoError';
    this.reason = reason;
  }
}

/** One order in the hands of one bot, from the start to its end in Postgres; says what becomes of the job. */
export async function runOrder(deps: OrderRunDeps, hostId: string, bot: BotInHand, claim: Claim): Promise<Ending> {
  const { orderNumber, enqueueNo } = claim.order;
  const attempt = await startOrder(deps, hostId, bot, claim);
  if (attempt === null) return endingOf(deps, orderNumber, enqueueNo);
  bot.attempt = attempt;

  try {
    bot.abort.signal.throwIfAborted();
    await Promise.race([handle(deps, bot, claim), aborted(bot.abort.signal)]);
  } catch (error) {
    const letGo = bot.abort.signal.aborted ? bot.abort.signal.reason : undefined;
    if (letGo instanceof LetGoError) return letGoOf(deps, bot, enqueueNo, letGo.reason);
    return failOrder(deps, bot, enqueueNo, error);
  }
  const isComplete = await deps.committer.complete({ orderNumber, attempt });
  return isComplete ? { kind: 'done' } : endingOf(deps, orderNumber, enqueueNo);
}

async function startOrder(deps: OrderRunDeps, hostId: string, bot: BotInHand, claim: Claim): Promise<number | null> {
  const start = { ...claim.order, botId: bot.id, botNumber: bot.number, hostId, expectedMs: deps.handler.expectedMs };
  const attempt = await deps.committer.start(start);
  if (attempt !== null) return attempt;
  const taken = await takeOverOrder(deps.database.pool, { ...start, maxAttempts: deps.maxAttempts });
  if (!taken) return null;
  deps.announce();
  deps.log.warn(
    { orderNumber: start.orderNumber, attempt: taken.attempt, status: taken.status },
    'order taken over from a lost host',
  );
  await notify(deps.database.pool, 'twolane_bots'); // its former host, if only frozen, lets go
  return taken.status === 'processing' ? taken.attempt : null;
}

async function handle(
  { database, handler, log, isStopping }: OrderRunDeps,
  bot: BotInHand,
  claim: Claim,
): Promise<void> {
  const { orderNumber } = claim.order;
  const bare: HandlerOrder = {
    number: orderNumber,
    lane: claim.lane,
    attempt: bot.attempt,
    items: [],
    note: null,
    customerName: null,
  };
  const findFacts = () => findHandlerOrder(database.pool, orderNumber);
  const facts = handler.needsOrder ? await untilReachable(findFacts, isStopping) : null;
  log.debug({ orderNumber, attempt: bot.attempt, botNumber: bot.number }, 'order started');
  await handler.run(
    { ...bare, ...facts },
    {
      signal: bot.abort.signal,
      botNumber: bot.number,
      reportProgress(fraction) {
        if (Number.isFinite(fraction)) bot.progress = Math.min(1, Math.max(0, fraction));
      },
    },
  );
}

/** A handler that does not heed the signal is left behind: its order goes back at once, and the fence makes its end void. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function letGoOf(
  deps: OrderRunDeps,
  bot: BotInHand,
  enqueueNo: number,
  reason: LetGoError['reason'],
): Promise<Ending> {
  const { orderNumber, attempt } = bot;
  if (reason !== 'superseded') {
    const giveBack = () => deps.committer.giveBack({ orderNumber, attempt }, reason);
    const isReturned = await untilReachable(giveBack, deps.isStopping);
    if (isReturned) deps.log.info({ orderNumber, attempt, reason }, 'order given back');
  }
  return endingOf(deps, orderNumber, enqueueNo);
}

async function failOrder(deps: OrderRunDeps, bot: BotInHand, enqueueNo: number, error: unknown): Promise<Ending> {
  const { orderNumber, attempt } = bot;
  const reason = (error instanceof Error ? error.message : String(error)).replaceAll('\0', '').slice(0, 500);
  const { maxAttempts } = deps;
  const fail = () =>
    failAttempt(deps.database.pool, { orderNumber, attempt, reason, isRetryable: isRetryable(error), maxAttempts });
  const failure = await untilReachable(fail, deps.isStopping);
  if (!failure) return endingOf(deps, orderNumber, enqueueNo);
  deps.announce();
  deps.log.warn(
    { orderNumber, attempt, status: failure.status, retryAfterMs: failure.retryAfterMs, reason },
    'handler failed',
  );
  return { kind: 'failed', reason };
}

/** What becomes of a job whose order has moved on without us: an order that waits needs its job back, any other has no use for it. */
async function endingOf(
  { database, isStopping }: OrderRunDeps,
  orderNumber: number,
  enqueueNo: number,
): Promise<Ending> {
  const order = await untilReachable(() => findOrderState(database.pool, orderNumber), isStopping);
  return order?.status === 'pending' && order.enqueueNo === enqueueNo ? { kind: 'returned' } : { kind: 'done' };
}

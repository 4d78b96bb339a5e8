import {
  addListedMovements,
  closeListedMovements,
  comparePayment,
  countListedMovements,
  findSuspects,
  listOddMovements,
  listSuspects,
  listUnknownMovements,
  type OddMovement,
  openListedMovements,
} from '../db/listed-movements.ts';
import { type FoundDifference, resolveBookDifferences } from '../db/reconciliation.ts';
import type { Db } from '../db/sql.ts';
import { judgeMoney, type Sums } from '../domain/reconciliation.ts';
import {
  type PaymentGateway,
  ProviderError,
  type ProviderMovement,
  type ProviderPayment,
} from '../payments/payment-gateway.ts';
import type { ReconciliationRunWork } from './reconciliation-run.ts';

const pageSize = 500;

/** Compares the provider's books with the ledger. Throws what the provider throws: half of its books tell nothing. */
export async function compareBooks(run: ReconciliationRunWork, connection: Db): Promise<void> {
  const gateway = run.deps.gateways[run.provider];
  if (!gateway) throw new Error(`${run.provider} is not set up any more`);
  try {
    await run.patiently(async () => {
      await openListedMovements(connection);
      await listBooks(run, connection, gateway);
    });
    Object.assign(run.counts, await countListedMovements(connection));
    const { compared } = await findSuspects(connection, run.provider, run.time);
    run.counts.compared = compared;
    await run.saveCounts();
    await judgeSuspects(run, connection);
    await writeUnknown(run, connection);
    run.counts.resolved += await resolveBookDifferences(run.deps.pool, run, run.time);
  } finally {
    await closeListedMovements(connection);
  }
}

async function listBooks(run: ReconciliationRunWork, connection: Db, gateway: PaymentGateway): Promise<void> {
  let page: ProviderMovement[] = [];
  run.counts.movements = 0;
  const add = async () => {
    if (page.length > 0) await addListedMovements(connection, run.provider, page);
    run.counts.movements += page.length;
    page = [];
    await run.saveCountsNowAndThen();
  };
  for await (const movement of gateway.listMovements(run.time.from, run.time.to)) {
    page.push(movement);
    if (page.length === pageSize) await add();
  }
  await add();
}

async function judgeSuspects(run: ReconciliationRunWork, connection: Db): Promise<void> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const suspects = await listSuspects(connection, after, pageSize);
    for (const paymentId of suspects) {
      if (!run.isProviderThere) throw new ProviderError('unknown', 'away', `${run.provider} does not answer any more`);
      const look = await run.lookAgain(paymentId);
      if (look === 'failed') continue;
      for (const difference of await judgePayment(run, connection, paymentId, look.seen)) await run.write(difference);
    }
    const last = suspects.at(-1);
    if (suspects.length < pageSize || last === undefined) return;
    after = last;
  }
}

/** What still does not agree, now that the payment was looked at. */
async function judgePayment(
  run: ReconciliationRunWork,
  connection: Db,
  paymentId: string,
  seen: ProviderPayment | null,
): Promise<FoundDifference[]> {
  const money = await comparePayment(connection, paymentId, run.time);
  const ours = { captured: money.captured, refunded: money.refunded };
  const differences = judgeMoney({
    ours,
    books: { captured: money.booksCaptured, refunded: money.booksRefunded },
    object: seen && sumsOf(seen),
    surelyInBooks: {
      captured: money.isCaptureSure ? money.captured : 0,
      refunded: seen ? refundedBy(seen, (operationId) => money.sureRefunds.includes(operationId ?? '')) : 0,
    },
  });
  const { reference, currency } = money;
  const odd = await listOddMovements(connection, paymentId);
  return [
    ...differences.map((difference) => {
      const at = difference.about === 'capture' ? money.capturedAt : money.refundedAt;
      const happenedAt = new Date(at ?? run.time.to);
      return { ...difference, paymentId, reference, currency, detail: null, happenedAt };
    }),
    ...odd.map((movement) => unknownToUs(movement, paymentId)),
  ];
}

function sumsOf(seen: ProviderPayment): Sums {
  const captured = seen.capture?.status === 'done' ? seen.capture.amount.amountMinor : 0;
  return { captured, refunded: refundedBy(seen, () => true) };
}

function refundedBy({ refunds }: ProviderPayment, isMeant: (operationId: string | null) => boolean): number {
  const meant = refunds.filter(({ status, operationId }) => status === 'done' && isMeant(operationId));
  return meant.reduce((sum, { amount }) => sum + amount.amountMinor, 0);
}

async function writeUnknown(run: ReconciliationRunWork, connection: Db): Promise<void> {
  let after = '';
  for (;;) {
    const unknown = await listUnknownMovements(connection, after, pageSize);
    for (const movement of unknown) await run.write(unknownToUs(movement, null));
    const last = unknown.at(-1);
    if (unknown.length < pageSize || last === undefined) return;
    after = last.reference;
  }
}

function unknownToUs(movement: OddMovement, paymentId: string | null): FoundDifference {
  const { kind, reference, amountMinor, currency, at } = movement;
  return {
    kind: 'unknown_to_us',
    about: kind,
    paymentId,
    reference,
    oursMinor: null,
    theirsMinor: amountMinor,
    currency,
    detail: null,
    happenedAt: new Date(at),
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listDifferences, listReconciliationRuns } from '../../db/reconciliation.ts';
import { InputInvalidError, ServiceUnavailableError } from '../../domain/errors.ts';
import { differenceSchema, reconciliationRunSchema } from '../../domain/reconciliation.ts';
import { paymentSettingsOf } from '../../operations/payment-deps.ts';
import { reconcilePayments } from '../../operations/reconcile-payments.ts';
import { auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';

const runs = z.array(reconciliationRunSchema).describe('The last twenty, and of each provider the last; newest first');
const differences = z.array(differenceSchema).describe('Open ones first, then the last that were resolved');
const state = z.object({ runs, differences });
const reconciled = state.extend({
  counts: z
    .object({
      movements: z.int(),
      ofOthers: z.int(),
      compared: z.int(),
      lookedAt: z.int(),
      found: z.int(),
      resolved: z.int(),
      open: z.int().describe('Differences that are open now'),
      failed: z.int().describe('Providers that could not be compared'),
    })
    .describe('Of this run, over all providers'),
});
const body = z
  .strictObject({
    from: z.iso.datetime({ offset: true }).nullish().describe('Two days before `to`, when it is left out'),
    to: z.iso.datetime({ offset: true }).nullish().describe('As late as the books are complete, when it is left out'),
  })
  .nullish();

const longestMs = 366 * 86_400_000;
/** Short of the time-out of the route. */
const patienceMs = 540_000;
const askAgainMs = 500;

/** Whether our ledger and the books of the providers agree. */
export async function reconciliationRoutes(
  scope: FastifyInstance,
  { config, database: { pool }, gateways, announce, wakeRelay, log }: AppDeps,
): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const deps = { pool, gateways, payments: paymentSettingsOf(config.payments), announce, wakeRelay, log };
  const read = async () => ({
    runs: [...(await listReconciliationRuns(pool))],
    differences: await listDifferences(pool),
  });

  app.get(
    '/v1/admin/reconciliation',
    {
      config: { access: 'admin or manager', answers: { 200: 'What was compared, and what does not agree.' } },
      schema: {
        operationId: 'getReconciliation',
        tags: ['Administration'],
        summary: 'Show where ledger and providers differ',
        description:
          'The comparison is made once a day. A difference that is no longer there is resolved by the next one.',
        response: { 200: state },
      },
    },
    read,
  );

  app.post(
    '/v1/admin/reconciliation',
    {
      handlerTimeout: 600_000,
      config: {
        access: 'admin',
        problems: ['input_invalid', 'service_unavailable'],
        answers: { 200: 'It is done; what does not agree is listed.' },
      },
      schema: {
        operationId: 'reconcilePayments',
        tags: ['Administration'],
        summary: 'Compare the ledger with the providers now',
        description:
          'Waits for one that is under way. It goes on to its end also when nobody waits for the answer any more; the list of runs shows how far it is.',
        body,
        response: { 200: reconciled },
      },
    },
    async (request) => {
      const time = timeFrom(request.body ?? {});
      const by = { actor: auditActorOf(request), address: request.ip };
      const giveUpAt = Date.now() + patienceMs;
      for (;;) {
        const done = await reconcilePayments(deps, { ...time, by });
        if (done) return { ...(await read()), ...done };
        if (Date.now() > giveUpAt) throw new ServiceUnavailableError('The reconciliation, which is busy,');
        await delay(askAgainMs);
      }
    },
  );
}

function timeFrom({ from: fromText, to: toText }: NonNullable<z.infer<typeof body>>): { from?: Date; to?: Date } {
  const from = fromText ? new Date(fromText) : undefined;
  const to = toText ? new Date(toText) : undefined;
  const now = new Date();
  if (to && to > now) throw new InputInvalidError([{ path: 'to', message: 'is in the future' }]);
  if (from && from >= (to ?? now)) throw new InputInvalidError([{ path: 'from', message: 'is not before the end' }]);
  if (from && (to ?? now).getTime() - from.getTime() > longestMs)
    throw new InputInvalidError([{ path: 'from', message: 'is more than a year before the end' }]);
  return { ...(from && { from }), ...(to && { to }) };
}

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listQuarantine, type StoredQuarantineCase } from '../../db/quarantine.ts';
import { paymentProviderSchema } from '../../domain/payment.ts';
import { type QuarantineCaseView, quarantineCaseSchema, whatToDecide } from '../../domain/quarantine.ts';
import { isoTime } from '../../domain/time.ts';
import { discardQuarantine, releaseQuarantine } from '../../operations/decide-quarantine.ts';
import { auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';

const shownAtMost = 500;
const nobody = '00000000-0000-0000-0000-000000000000';
/** What can be no case's id is the id of no case: 404, like any other that is not there. */
const params = z.object({
  id: z
    .string()
    .transform((text) => (z.uuid().safeParse(text).success ? text : nobody))
    .meta({ description: 'The id of the case', format: 'uuid' }),
});
const caseAnswer = z.object({ case: quarantineCaseSchema });

/** What does not agree with the ledger, and what somebody decides about it. */
export async function quarantineRoutes(
  scope: FastifyInstance,
  { database: { pool }, announce, wakeRelay, log }: AppDeps,
): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const deps = { pool, announce, wakeRelay, log };

  app.get(
    '/v1/admin/quarantine',
    {
      config: { access: 'admin or manager', answers: { 200: 'Open cases first, then the latest.' } },
      schema: {
        operationId: 'listQuarantine',
        tags: ['Administration'],
        summary: 'Show what waits for a decision',
        description:
          'Money, or word of it, that does not agree with what was ordered. The order of an open case waits.',
        response: { 200: z.object({ cases: z.array(quarantineCaseSchema) }) },
      },
    },
    async () => ({ cases: (await listQuarantine(pool, shownAtMost)).map(viewOf) }),
  );

  app.post(
    '/v1/admin/quarantine/:id/release',
    {
      config: {
        access: 'admin',
        problems: ['quarantine_not_found', 'quarantine_decided', 'quarantine_not_releasable'],
        answers: { 200: 'What came counts; its payment is looked at.' },
      },
      schema: {
        operationId: 'releaseQuarantine',
        tags: ['Administration'],
        summary: 'Accept what came',
        description: 'A payment goes on with the amount that came. An event has its payment looked at.',
        params,
        response: { 200: caseAnswer },
      },
    },
    async (request) => ({ case: viewOf(await releaseQuarantine(deps, decisionOf(request, request.params.id))) }),
  );

  app.post(
    '/v1/admin/quarantine/:id/discard',
    {
      config: {
        access: 'admin',
        problems: ['quarantine_not_found', 'quarantine_decided'],
        answers: { 200: 'What came does not count.' },
      },
      schema: {
        operationId: 'discardQuarantine',
        tags: ['Administration'],
        summary: 'Refuse what came',
        description:
          'The order of a payment is cancelled, if it still can be, and its money goes back. An event is passed over.',
        params,
        response: { 200: caseAnswer },
      },
    },
    async (request) => ({ case: viewOf(await discardQuarantine(deps, decisionOf(request, request.params.id))) }),
  );
}

const decisionOf = (request: FastifyRequest, caseId: string) => ({
  caseId,
  by: { actor: auditActorOf(request), address: request.ip },
});

function viewOf(one: StoredQuarantineCase): QuarantineCaseView {
  const { id, kind, orderNumber, eventType, expected, found, detail, state, decidedBy } = one;
  const about = one.webhookEventId ? 'event' : 'payment';
  return {
    id,
    about,
    kind,
    provider: paymentProviderSchema.parse(one.provider),
    orderNumber,
    eventType,
    expected,
    found,
    detail,
    whatToDo: whatToDecide({ about, kind, state }),
    state,
    decidedBy,
    decidedAt: isoTime(one.decidedAt),
    createdAt: new Date(one.createdAt).toISOString(),
  };
}

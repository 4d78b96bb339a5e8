import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseFault, stormSchema } from './fault-script.ts';
import { CheckoutClosedError, type SandboxContext, type SandboxProvider } from './sandbox-provider.ts';

const advanceSchema = z.strictObject({ advanceMs: z.int().min(0) });
const urlsSchema = z.strictObject({ stripe: z.url().optional(), paypal: z.url().optional() });

/** The strings that a test, or somebody with curl, pulls. */
export function controlRoutes(
  app: FastifyInstance,
  context: SandboxContext,
  providers: readonly SandboxProvider[],
): void {
  const { clock, faults, webhooks, ledger } = context;

  app.setErrorHandler((error, _, reply) => {
    if (error instanceof z.ZodError) return reply.status(400).send({ error: z.prettifyError(error) });
    if (error instanceof CheckoutClosedError) return reply.status(409).send({ error: error.message });
    throw error;
  });

  app.get('/sandbox/checkouts', () => ({
    checkouts: providers.flatMap((provider) =>
      provider.openCheckouts().map((checkout) => ({ provider: provider.name, ...checkout })),
    ),
  }));
  app.post<{ Params: { reference: string; choice: string } }>(
    '/sandbox/checkouts/:reference/:choice',
    (request, reply) => {
      const { reference, choice } = request.params;
      const provider = providers.find((each) => each.describeCheckout(reference) !== null);
      if (!provider) return reply.status(404).send({ error: `no checkout ${reference}` });
      if (choice === 'pay') provider.pay(reference);
      else if (choice === 'decline') provider.decline(reference);
      else if (choice === 'cancel') provider.cancel(reference);
      else return reply.status(404).send({ error: 'pay, decline or cancel' });
      return reply.send(provider.describeCheckout(reference));
    },
  );

  app.get('/sandbox/ledger', () => ({ entries: ledger.entries() }));
  app.get('/sandbox/events', () => ({
    events: webhooks.events().map(({ body, createdAtMs, ...event }) => ({
      ...event,
      createdAt: clock.toWire(createdAtMs).toISOString(),
    })),
  }));
  app.post<{ Params: { id: string } }>('/sandbox/events/:id/redeliver', (request, reply) => {
    const { id } = request.params;
    if (!webhooks.events().some((event) => event.id === id)) return reply.status(404).send({ error: `no event ${id}` });
    webhooks.redeliver(id);
    return reply.status(202).send();
  });
  app.put('/sandbox/webhook-urls', (request, reply) => {
    const { stripe, paypal } = urlsSchema.parse(request.body);
    webhooks.sendTo({ ...(stripe && { stripe }), ...(paypal && { paypal }) });
    return reply.status(204).send();
  });

  app.get('/sandbox/clock', () => ({ aheadMs: clock.aheadMs }));
  app.post('/sandbox/clock', (request) => {
    clock.advance(advanceSchema.parse(request.body).advanceMs);
    return { aheadMs: clock.aheadMs };
  });

  app.get('/sandbox/faults', () => ({ waiting: faults.waiting(), met: faults.met() }));
  app.post('/sandbox/faults', (request, reply) => {
    const wanted: unknown[] = Array.isArray(request.body) ? request.body : [request.body];
    for (const fault of wanted.map(parseFault)) faults.add(fault); // all of them, or none
    return reply.status(204).send();
  });
  app.delete('/sandbox/faults', (_, reply) => {
    faults.clear();
    return reply.status(204).send();
  });
  app.post('/sandbox/storm', (request, reply) => {
    faults.storm(stormSchema.parse(request.body));
    return reply.status(204).send();
  });
}

import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import qs from 'qs';
import type { z } from 'zod';
import type { Answer } from '../answer.ts';
import type { SandboxOperation } from '../fault-script.ts';
import type { KeyedRequest } from '../idempotency.ts';
import { type Cause, orderNumberOf, type StripeBooks, stripeVersion } from './stripe-books.ts';
import { expandAll } from './stripe-expand.ts';
import { renderStored, type StripeObject } from './stripe-objects.ts';
import { readParameters } from './stripe-parameters.ts';
import { StripeRefusal, stripeTrouble, wrongParameter } from './stripe-refusal.ts';

export interface StripeCall {
  /** From the path. */
  id: string;
  /** The path itself. */
  url: string;
  cause: Cause;
  read<Schema extends z.ZodType>(schema: Schema): z.output<Schema>;
}

/** An object by its id, with what is to be expanded, or a list that is ready. */
type Shown = { id: string; expand: string[] } | StripeObject;
type Handler = (call: StripeCall) => Shown;

const keysLiveMs = 24 * 3600 * 1000;
const provider = { name: 'stripe', trouble: stripeTrouble } as const;

/** What all of Stripe's paths have in common: who may call, the key that makes a repeat harmless, the envelope of errors. */
export class StripeExchange {
  readonly #app: FastifyInstance;
  readonly #books: StripeBooks;
  readonly #secretKey: string;

  constructor(app: FastifyInstance, books: StripeBooks, secretKey: string) {
    this.#app = app;
    this.#books = books;
    this.#secretKey = secretKey;
  }

  get = (path: string, operation: SandboxOperation, handler: Handler): void => {
    this.#route('GET', path, operation, handler);
  };

  post = (path: string, operation: SandboxOperation, handler: Handler): void => {
    this.#route('POST', path, operation, handler);
  };

  #route(method: 'GET' | 'POST', path: string, operation: SandboxOperation, handler: Handler): void {
    this.#app.route<{ Params: { id?: string } }>({
      method,
      url: path,
      handler: (request, reply) => {
        const requestId = this.#books.context.ids.next('req_', 14);
        reply.headers({ 'request-id': requestId, 'stripe-version': stripeVersion });
        const refusal = this.#whyNotAllowed(request);
        if (refusal) return this.#refuse(reply, refusal);

        const parameters = method === 'POST' ? (request.body ?? {}) : parseQuery(request.url);
        const keyed = method === 'POST' ? keyOf(request, parameters) : null;
        const id = request.params.id ?? '';
        const orderNumber = this.#orderNumberOf(id, parameters);
        const cause = { requestId, idempotencyKey: keyed?.key ?? null };
        if (keyed) reply.header('idempotency-key', keyed.key);
        return this.#books.context.faults.around(request, reply, { provider, operation, orderNumber, keyed }, () => {
          const url = request.url.split('?')[0] ?? path;
          const answer = this.#run(() =>
            handler({ id, url, cause, read: (schema) => readParameters(schema, parameters) }),
          );
          return keyed ? { ...answer, headers: { 'original-request': requestId } } : answer;
        });
      },
    });
  }

  #run(handle: () => Shown): Answer {
    try {
      const shown = handle();
      if (!isReference(shown)) return { status: 200, body: shown };
      const object = renderStored(this.#books, shown.id);
      if (!object) throw new Error(`${shown.id} is gone`);
      return { status: 200, body: expandAll(this.#books, object, shown.expand) };
    } catch (error) {
      if (error instanceof StripeRefusal) return error.answer;
      throw error;
    }
  }

  #refuse(reply: { status(code: number): { send(body: unknown): unknown } }, refusal: StripeRefusal) {
    return reply.status(refusal.answer.status).send(refusal.answer.body);
  }

  #whyNotAllowed(request: FastifyRequest): StripeRefusal | null {
    const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (key === undefined)
      return new StripeRefusal(401, { type: 'invalid_request_error', message: 'You did not provide an API key.' });
    if (!isSame(key, this.#secretKey))
      return new StripeRefusal(401, {
        type: 'invalid_request_error',
        message: `Invalid API Key provided: ${key.slice(0, 8)}****`,
      });
    const sent = request.headers['idempotency-key'];
    if (typeof sent === 'string' && sent.length > 255)
      return wrongParameter(undefined, 'idempotency_key', 'Idempotency keys may be at most 255 characters long.');
    return null;
  }

  #orderNumberOf(id: string, parameters: object): number | null {
    if (id !== '') return this.#books.orderNumberOf(id);
    const named: unknown = Reflect.get(parameters, 'payment_intent') ?? Reflect.get(parameters, 'charge');
    if (typeof named === 'string') return this.#books.orderNumberOf(named);
    const metadata: unknown = Reflect.get(parameters, 'metadata');
    return typeof metadata === 'object' && metadata !== null
      ? orderNumberOf(Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, String(value)])))
      : null;
  }
}

function isReference(shown: Shown): shown is { id: string; expand: string[] } {
  return typeof shown.id === 'string' && Array.isArray(shown.expand) && !('object' in shown);
}

function keyOf(request: FastifyRequest, parameters: unknown): KeyedRequest | null {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || key === '') return null;
  return { scope: 'stripe', key, fingerprint: [request.method, request.url, parameters], lifeMs: keysLiveMs };
}

function parseQuery(url: string): object {
  return qs.parse(url.split('?')[1] ?? '', { depth: 10, arrayLimit: 100 });
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}

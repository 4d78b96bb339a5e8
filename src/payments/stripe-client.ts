import http from 'node:http';
import https from 'node:https';
import Stripe from 'stripe';
import { ProviderError } from './payment-gateway.ts';
import { toProviderError } from './stripe-errors.ts';

export interface StripeAccess {
  secretKey: string;
  /** Another origin than Stripe's own; null for Stripe's own. */
  apiBase: string | null;
  timeoutMs: number;
}

export interface StripeClient {
  /** Runs one call, of one request or several, within the time-out as a whole. Whatever fails is a `ProviderError`. */
  ask<Answer>(action: string, call: (stripe: Stripe) => Promise<Answer>): Promise<Answer>;
  close(): void;
}

/** Shorter than any server keeps an idle connection: one that is about to be closed from there would lose the next request. */
const idleConnectionMs = 4_000;

export function openStripeClient({ secretKey, apiBase, timeoutMs }: StripeAccess): StripeClient {
  const address = apiBase === null ? null : addressFrom(apiBase);
  const { Agent } = address?.protocol === 'http' ? http : https;
  const agent = new Agent({ keepAlive: true, timeout: idleConnectionMs });
  const stripe = new Stripe(secretKey, {
    ...address,
    httpClient: createSingleTryClient(agent),
    maxNetworkRetries: 0,
    timeout: timeoutMs,
    telemetry: false,
  });
  return {
    async ask(action, call) {
      try {
        return await within(timeoutMs, action, call(stripe));
      } catch (error) {
        throw toProviderError(error, action);
      }
    },
    close: () => agent.destroy(),
  };
}

interface Page {
  limit: number;
  starting_after?: string;
}

/** Everything of a list, page by page, with the time-out for each page. */
export async function* allPages<Item extends { id: string }>(
  client: StripeClient,
  action: string,
  list: (stripe: Stripe, page: Page) => Promise<Stripe.ApiList<Item>>,
): AsyncGenerator<Item> {
  const page: Page = { limit: 100 };
  for (;;) {
    const { data, has_more } = await client.ask(action, (stripe) => list(stripe, page));
    yield* data;
    const last = data.at(-1);
    if (!has_more || !last) return;
    page.starting_after = last.id;
  }
}

/** The SDK takes an origin in three parts and no path. */
function addressFrom(apiBase: string): Pick<Stripe.StripeConfig, 'host' | 'port' | 'protocol'> & object {
  const { protocol, hostname, port, pathname } = new URL(apiBase);
  if (pathname !== '/') throw new RangeError('the address of a Stripe API takes no path');
  const isPlain = protocol === 'http:';
  return {
    host: hostname.replace(/^\[|\]$/g, ''), // of IPv6
    port: port === '' ? (isPlain ? 80 : 443) : Number(port),
    protocol: isPlain ? 'http' : 'https',
  };
}

/**
 * Even with its retries off, the SDK sends a request again when the connection was closed: half a second later, with the same key
 * and a time-out of its own. The key keeps that from having two effects, but the call takes up to twice its time, and the caller never
 * learns that the first answer was lost. It knows such a failure by its code, so the code is put behind another error.
 */
function createSingleTryClient(agent: http.Agent): Stripe.HttpClient {
  const client = Stripe.createNodeHttpClient(agent);
  return {
    getClientName: () => client.getClientName(),
    makeRequest: async (...request) => {
      try {
        return await client.makeRequest(...request);
      } catch (cause) {
        throw new Error('the request failed', { cause });
      }
    },
  };
}

/** The SDK's own time-out is of silence: an answer that comes in drops could take any time. */
async function within<Answer>(timeoutMs: number, action: string, answer: Promise<Answer>): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new ProviderError('unknown', 'ETIMEDOUT', `${action} at Stripe got no answer within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

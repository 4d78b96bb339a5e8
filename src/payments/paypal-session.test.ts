import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startWireServer, type WireAnswer, type WireRequest, type WireServer } from '../../test/support/wire-server.ts';
import { type PaymentGateway, ProviderError } from './payment-gateway.ts';
import { createPayPalGateway } from './paypal-gateway.ts';

const references = { checkout: 'ORDER-1', authorisation: 'AUTH-1', capture: 'CAPTURE-1' };
const amount = { amountMinor: 1250, currency: 'EUR' };
const basic = `Basic ${Buffer.from('client:very-secret').toString('base64')}`;

let server: WireServer;
let gateway: PaymentGateway;
let tokens: number;
/** Answers everything but the token. */
let answer: WireServer['answer'];
let answerToken: WireServer['answer'];

beforeEach(async () => {
  tokens = 0;
  answerToken = () => {
    tokens += 1;
    return { body: { access_token: `token-${tokens}`, token_type: 'Bearer', expires_in: 32_400 } };
  };
  answer = () => ({ body: { id: 'CAPTURE-1', status: 'COMPLETED' } });
  server = await startWireServer((request) => (isForToken(request) ? answerToken(request) : answer(request)));
  gateway = openGateway();
});

afterEach(() => server.close());

function openGateway(timeoutMs = 5_000): PaymentGateway {
  return createPayPalGateway({
    clientId: 'client',
    clientSecret: 'very-secret',
    webhookId: 'WH-1',
    environment: 'sandbox',
    apiBase: server.url,
    verify: 'offline',
    timeoutMs,
  });
}

function isForToken({ path }: WireRequest): boolean {
  return path === '/v1/oauth2/token';
}

function capture(by = gateway): Promise<void> {
  return by.capture(references, amount, 'capture-key');
}

async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ProviderError) return error;
  throw new Error('a ProviderError was expected', { cause: error });
}

describe('the token', () => {
  it('is fetched once for calls at the same moment and after', async () => {
    await Promise.all([capture(), capture(), gateway.void(references, 'void-key')]);
    await capture();
    expect(server.requests.filter(isForToken)).toHaveLength(1);
    expect(server.requests[0]?.headers.authorization).toBe(basic);
    const others = server.requests.filter((request) => !isForToken(request));
    expect(new Set(others.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer token-1']));
  });

  it('is fetched anew once it is nearly over', async () => {
    const healthy = answerToken;
    answerToken = () => ({ body: { access_token: 'short', token_type: 'Bearer', expires_in: 0 } });
    await capture();
    answerToken = healthy;
    await Promise.all([capture(), capture(), capture()]);
    expect(server.requests.filter(isForToken)).toHaveLength(2);
  });

  it('is fetched anew, and the call made again with the same key, when it is refused', async () => {
    await capture();
    answer = ({ headers }) =>
      headers.authorization === 'Bearer token-2'
        ? { body: { id: 'CAPTURE-1', status: 'COMPLETED' } }
        : { status: 401, body: { error: 'invalid_token' } };
    await Promise.all([capture(), capture()]);
    expect(tokens).toBe(2);
    const keys = server.requests
      .filter((request) => !isForToken(request))
      .map(({ headers }) => headers['paypal-request-id']);
    expect(keys).toEqual(Array.from({ length: 5 }, () => 'capture-key'));
  });

  it('is not fetched again and again', async () => {
    answer = () => ({ status: 401, body: { error: 'invalid_token', error_description: 'Token signature failed' } });
    await expect(failureOf(capture())).resolves.toMatchObject({ kind: 'unauthorised', code: 'invalid_token' });
    expect(server.requests.filter(isForToken)).toHaveLength(2);
  });

  it('can be had again after it could not', async () => {
    const healthy = answerToken;
    for (const [broken, kind] of [
      [{ status: 503 }, 'unknown'],
      ['reset', 'unknown'],
      [{ status: 429, body: { name: 'RATE_LIMIT_REACHED' }, headers: { 'retry-after': '2' } }, 'busy'],
      [{ status: 401, body: { error: 'invalid_client' } }, 'unauthorised'],
    ] as const) {
      answerToken = () => broken;
      const failed = await Promise.all([failureOf(capture()), failureOf(capture())]);
      expect(failed.map((error) => error.kind)).toEqual([kind, kind]);
    }
    answerToken = healthy;
    await expect(capture()).resolves.toBeUndefined();
  });
});

describe('a call', () => {
  it('ends at the time-out, whatever it waits for', async () => {
    const impatient = openGateway(100);
    const healthy = answerToken;
    answerToken = () => 'hang';
    await expect(failureOf(capture(impatient))).resolves.toMatchObject({ kind: 'unknown', code: 'ETIMEDOUT' });
    answerToken = healthy;
    answer = () => 'hang';
    await expect(failureOf(capture(impatient))).resolves.toMatchObject({ kind: 'unknown', code: 'ETIMEDOUT' });
  });

  it('ends at the time-out as a whole, where it asks several times', async () => {
    const patient = openGateway(1_600);
    answer = async ({ path }): Promise<WireAnswer | 'hang'> => {
      if (path.startsWith('/v2/payments')) return 'hang';
      await sleep(1_200);
      return { status: 404, body: { name: 'RESOURCE_NOT_FOUND' } };
    };
    const startedAt = performance.now();
    await expect(failureOf(patient.read(references))).resolves.toMatchObject({ code: 'ETIMEDOUT' });
    expect(performance.now() - startedAt).toBeLessThan(2_400);
  });

  it('ends at the time-out, where the token was refused and another one is slow', async () => {
    const healthy = answerToken;
    answerToken = async (request) => {
      await sleep(1_400);
      return await healthy(request);
    };
    answer = () => ({ status: 401, body: { error: 'invalid_token' } });
    const startedAt = performance.now();
    await expect(failureOf(capture(openGateway(1_600)))).resolves.toMatchObject({ kind: 'unknown', code: 'ETIMEDOUT' });
    expect(performance.now() - startedAt).toBeLessThan(2_600);
  });

  it('does not wait for ever for a token that somebody else has asked for', async () => {
    const impatient = openGateway(200);
    const healthy = answerToken;
    answerToken = () => 'trickle';
    await expect(failureOf(capture(impatient))).resolves.toMatchObject({ kind: 'unknown', code: 'ETIMEDOUT' });
    answerToken = healthy;
    await vi.waitFor(() => capture(impatient));
  });

  it('is unknown when the connection breaks or the answer makes no sense', async () => {
    answer = () => 'reset';
    await expect(failureOf(capture())).resolves.toMatchObject({ kind: 'unknown', code: 'ECONNRESET' });
    for (const body of ['<html>a proxy</html>', '', { id: 1 }]) {
      answer = () => ({ body });
      await expect(failureOf(capture())).resolves.toMatchObject({ kind: 'unknown', code: 'RESPONSE_MALFORMED' });
    }
  });

  it('is made once, however it fails', async () => {
    for (const status of [409, 422, 429, 500, 503]) {
      answer = () => ({ status, body: { name: 'SOMETHING' } });
      await failureOf(capture());
    }
    expect(server.requests.filter((request) => !isForToken(request))).toHaveLength(5);
  });

  it('does not take the token to where a redirect leads', async () => {
    const elsewhere = await startWireServer(() => ({}));
    answer = () => ({ status: 307, headers: { location: `${elsewhere.url}/` } });
    await expect(failureOf(capture())).resolves.toMatchObject({ code: 'HTTP_307' });
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  it('says nothing of our secrets when it fails', async () => {
    const failures: ProviderError[] = [];
    for (const broken of [{ status: 401, body: { error: 'invalid_client' } }, { status: 500 }, 'reset'] as const) {
      const healthy = answerToken;
      answerToken = () => broken;
      failures.push(await failureOf(capture()));
      answerToken = healthy;
      answer = () => broken;
      failures.push(await failureOf(capture()));
    }
    expect(failures).toHaveLength(6);
    for (const error of failures) {
      const shown = `${inspect(error, { depth: 20, showHidden: true })}${JSON.stringify(error)}`;
      expect(shown).not.toMatch(/token-\d|very-secret|Bearer|Basic/);
      expect(shown).not.toContain(basic.slice('Basic '.length));
      expect(error.message).toMatch(/ at PayPal /);
    }
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { samplePassword } from '../domain/user.ts';
import { BadUsageError, CliError, ConnectionLostError, InterruptedError, UnreachableError } from './failures.ts';
import { parseRetryAfterMs, RefusedError } from './problem.ts';
import { isLoopback } from './server-address.ts';
import type { Terminal } from './terminal.ts';

/** One server, and who is speaking to it. */
export interface Server {
  url: URL;
  /** The e-mail of the account; null for commands that speak as nobody, or as the admin. */
  user: string | null;
  tokens: TokenSource;
  env: Terminal['env'];
  signal: AbortSignal;
  /** How long to bear with a server in trouble. */
  patience: Patience;
}

/** Gives the access tokens of accounts; throws a `CliError` that says how to sign in. */
export interface TokenSource {
  /** One that should still be good. */
  current(server: Server, user: string): Promise<string>;
  /** Another one, since the server did not believe this one. */
  renew(server: Server, user: string, refused: string): Promise<string>;
}

export interface Patience {
  /** Total time to wait for a server that says it is overloaded, or that these are too many requests. */
  overloadedMs: number;
  /** Total time to wait for a server that cannot be reached or drops connections, if asking again is safe. */
  unreachableMs: number;
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | undefined>;
  body?: unknown;
  /** `user` unless it says otherwise. */
  as?: 'user' | 'admin' | 'nobody';
  /** Makes a POST safe to repeat after a lost connection. */
  idempotencyKey?: string;
  /** Doing it twice is as good as once. */
  isRepeatable?: boolean;
  /** What to say when the connection broke and repeating is not safe, or did not help. */
  whenLost?: string;
}

export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: unknown;
  /** An earlier try of ours was lost on the way, and may be what the server did. */
  wasLostBefore: boolean;
}

const attemptTimeoutMs = 20_000;

/**
 * Asks once, and again where that is safe: after a refusal with Retry-After, after a lost connection if the request can be
 * repeated, and once with a new token when the old one is not believed.
 */
export async function callApi(server: Server, request: ApiRequest): Promise<ApiAnswer> {
  const startedAtMs = Date.now();
  let wasLostBefore = false;
  let hasNewToken = false;
  for (let attempt = 0; ; attempt += 1) {
    const token = await currentToken(server, request);
    try {
      return { ...(await askOnce(server, request, token)), wasLostBefore };
    } catch (error) {
      if (token !== undefined && server.user !== null && !hasNewToken && isUnauthenticated(error)) {
        await server.tokens.renew(server, server.user, token);
        hasNewToken = true;
        continue;
      }
      wasLostBefore ||= error instanceof ConnectionLostError;
      const spentMs = Date.now() - startedAtMs;
      const pauseMs = pauseBeforeRepeat(server, request, error, attempt, spentMs);
      if (pauseMs === undefined) throw error;
      await pause(pauseMs, server.signal);
    }
  }
}

/** The answer's body, checked against the contract; `raw` is all that the server sent. */
export async function askFor<Schema extends z.ZodType>(
  server: Server,
  request: ApiRequest,
  schema: Schema,
): Promise<{ value: z.infer<Schema>; raw: unknown; answer: ApiAnswer }> {
  const answer = await callApi(server, request);
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return { value: parsed.data, raw: answer.body, answer };
  const faults = parsed.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw new CliError(`${server.url.origin} did not answer ${request.method} ${request.path} as a twolane server does`, [
    ...faults,
    'is it another program, or another version?',
  ]);
}

async function currentToken(server: Server, { as = 'user' }: ApiRequest): Promise<string | undefined> {
  if (as !== 'user' || server.user === null) return undefined;
  return server.tokens.current(server, server.user);
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof RefusedError && error.status === 401;
}

function pauseBeforeRepeat(
  { patience }: Server,
  request: ApiRequest,
  error: unknown,
  attempt: number,
  spentMs: number,
): number | undefined {
  const backoffMs = Math.min(2_000, 100 * 2 ** attempt);
  if (error instanceof RefusedError) {
    if (error.retryAfterMs === undefined || (error.status !== 503 && error.status !== 429)) return undefined;
    const pauseMs = Math.max(error.retryAfterMs, 50);
    return spentMs + pauseMs <= patience.overloadedMs ? pauseMs : undefined;
  }
  const isSafe = request.method === 'GET' || request.isRepeatable === true || request.idempotencyKey !== undefined;
  if (error instanceof UnreachableError) return spentMs + backoffMs <= patience.unreachableMs ? backoffMs : undefined;
  if (!(error instanceof ConnectionLostError) || !isSafe) return undefined;
  return attempt < 3 || spentMs + backoffMs <= patience.unreachableMs ? backoffMs : undefined;
}

async function askOnce(
  server: Server,
  request: ApiRequest,
  token: string | undefined,
): Promise<Omit<ApiAnswer, 'wasLostBefore'>> {
  const url = new URL(request.path, server.url);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const headers = headersOf(server, request, token);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: request.method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([server.signal, AbortSignal.timeout(attemptTimeoutMs)]),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    text = await response.text();
  } catch (error) {
    throw connectionFault(server, request, error);
  }
  const body = parseBody(text);
  if (response.ok) return { status: response.status, headers: response.headers, body };
  throw new RefusedError(response.status, body, parseRetryAfterMs(response.headers.get('retry-after'), Date.now()));
}

function headersOf(server: Server, request: ApiRequest, token: string | undefined): Record<string, string> {
  const authorization = request.as === 'admin' ? adminAuthorization(server) : token && `Bearer ${token}`;
  return {
    accept: 'application/json',
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.idempotencyKey === undefined ? {} : { 'idempotency-key': request.idempotencyKey }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

/** The demo's well-known password is only ever sent to this machine. */
function adminAuthorization({ env, url }: Server): string {
  const { ADMIN_USERNAME: username, ADMIN_PASSWORD: password } = env;
  if (!(username && password) && !isLoopback(url)) {
    throw new BadUsageError(`the administrator's name and password for ${url.origin} are not set`, [
      'set ADMIN_USERNAME and ADMIN_PASSWORD in the environment',
    ]);
  }
  const credentials = `${username || 'admin'}:${password || samplePassword}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

const neverArrivedCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'bad port', // one that fetch refuses to speak to
]);

function connectionFault(server: Server, request: ApiRequest, error: unknown): Error {
  if (server.signal.aborted) return new InterruptedError();
  const reason = reasonOf(error);
  if (neverArrivedCodes.has(reason)) return new UnreachableError(server.url.origin, reason, error);
  return new ConnectionLostError(server.url.origin, reason, request.whenLost ? [request.whenLost] : [], error);
}

/** fetch says only `fetch failed`; the cause knows why. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${attemptTimeoutMs / 1_000} s`;
  const cause = error.cause as { code?: string; message?: string } | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}

function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text; // a proxy's page, say: the status then speaks for itself
  }
}

export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(durationMs, undefined, { signal });
  } catch {
    throw new InterruptedError(); // the only reason for a delay to reject
  }
}

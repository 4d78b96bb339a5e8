import { z } from 'zod';
import { CliError } from './failures.ts';

const problemSchema = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

const adviceOf: Record<string, string> = {
  admin_credentials_invalid: 'set ADMIN_USERNAME and ADMIN_PASSWORD to what the server was started with',
  unauthenticated: 'sign in with `twolane login E-MAIL`, and say with --as E-MAIL who is meant',
  credentials_invalid: 'check the e-mail and the password; `twolane users list` shows the accounts to an admin',
  email_taken: '`twolane users role E-MAIL ROLE` changes the role of an account that is there',
  last_manager: '`twolane users role E-MAIL MANAGER` makes another account one',
  rate_limited: 'these were too many requests in a short time: try again in a moment',
  too_many_attempts: 'wait before the next try: each further one is made to wait longer',
  forbidden: 'this needs another role: name another account with --as (in the demo: --as manager@twolane.test)',
  order_not_found:
    'only its owner and a manager see an order: check the number, or who you are (in the demo: --as manager@twolane.test)',
  idempotency_key_reused: 'use another --key, or leave it out',
  product_unknown: 'GET /v1/products lists what can be ordered',
  no_bots: 'add one with `twolane bots add`',
  intake_overloaded: 'the server is taking more orders than it can write down: try again in a moment',
};

/** The server understood, and said no (RFC 9457). */
export class RefusedError extends CliError {
  readonly status: number;
  readonly code: string;
  readonly detail: string | undefined;
  /** What was wrong where in the request. */
  readonly faults: readonly { path: string; message: string }[];
  readonly retryAfterMs: number | undefined;

  constructor(status: number, body: unknown, retryAfterMs: number | undefined) {
    const problem = problemSchema.safeParse(body).data ?? {};
    const code = problem.code ?? `http_${status}`;
    const advice = adviceOf[code];
    super(problem.title ?? `the server answered ${status}`, [
      `${code} (${status})${problem.detail === undefined ? '' : `: ${problem.detail}`}`,
      ...(problem.errors ?? []).map(({ path, message }) => `${path || 'body'}: ${message}`),
      ...(advice === undefined ? [] : [advice]),
    ]);
    this.status = status;
    this.code = code;
    this.detail = problem.detail ?? problem.errors?.map(({ path, message }) => `${path}: ${message}`).join('; ');
    this.faults = problem.errors ?? [];
    this.retryAfterMs = retryAfterMs;
  }
}

/** `Retry-After` in milliseconds, from seconds or an HTTP date. */
export function parseRetryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

import type { Answer, TroubleAnswers } from '../answer.ts';

export interface StripeErrorBody {
  type: 'invalid_request_error' | 'card_error' | 'idempotency_error' | 'api_error';
  code?: string;
  decline_code?: string;
  message: string;
  param?: string;
  payment_intent?: unknown;
  charge?: string;
}

/** Stripe says no: thrown wherever it is found out, answered in Stripe's envelope. */
export class StripeRefusal extends Error {
  readonly answer: Answer;

  constructor(status: number, error: StripeErrorBody, { forgettable = false } = {}) {
    super(error.message);
    this.name = 'StripeRefusal';
    const body = error.code
      ? { ...error, doc_url: `https://stripe.com/docs/error-codes/${error.code.replaceAll('_', '-')}` }
      : error;
    this.answer = { status, body: { error: body }, forgettable };
  }
}

/** The request is not even well formed: nothing was begun, so nothing is remembered. */
export function wrongParameter(code: string | undefined, param: string, message: string): StripeRefusal {
  const error = { type: 'invalid_request_error' as const, ...(code && { code }), message, param };
  return new StripeRefusal(400, error, { forgettable: true });
}

/** Well formed, and not possible now. Not every such error of Stripe's has a code. */
export function wrongState(code: string | null, message: string, more: Partial<StripeErrorBody> = {}): StripeRefusal {
  return new StripeRefusal(400, { type: 'invalid_request_error', ...(code !== null && { code }), message, ...more });
}

export function missing(what: string, id: string, param = 'id'): StripeRefusal {
  const error = {
    type: 'invalid_request_error' as const,
    code: 'resource_missing',
    message: `No such ${what}: '${id}'`,
    param,
  };
  return new StripeRefusal(404, error, { forgettable: true });
}

export const stripeTrouble: TroubleAnswers = {
  unavailable: () => trouble(503, { type: 'api_error', message: 'Sorry, Stripe is not available at the moment.' }),
  rateLimited: (seconds) => ({
    ...trouble(429, { type: 'invalid_request_error', code: 'rate_limit', message: 'Request rate limit exceeded.' }),
    headers: { 'retry-after': String(seconds), 'stripe-rate-limited-reason': 'global-rate' },
  }),
  conflict: () =>
    trouble(409, {
      type: 'idempotency_error',
      code: 'idempotency_key_in_use',
      message: 'There is currently another in-progress request using this Idempotent Key. Please try again later.',
    }),
  otherParameters: () =>
    trouble(400, {
      type: 'idempotency_error',
      message: 'Keys for idempotent requests can only be used with the same parameters they were first used with.',
    }),
  failed: () => trouble(500, { type: 'api_error', message: 'An unknown error occurred.' }),
  replayed: (answer) => ({ ...answer, headers: { ...answer.headers, 'idempotent-replayed': 'true' } }),
  remembersFailures: true, // the documents say so: the same key meets the same 500 for a day
};

function trouble(status: number, error: StripeErrorBody): Answer {
  return { status, body: { error } };
}

import { randomBytes } from 'node:crypto';
import type { Answer, TroubleAnswers } from '../sandbox-provider.ts';
import { errorBody, PayPalRefusal } from './paypal-refusal.ts';

export function answer(status: number, body?: unknown): Answer {
  return { status, ...(body !== undefined && { body }), headers: { 'paypal-debug-id': newDebugId() } };
}

/** The key of a refused request may come again, as if it were new. */
export function refusalAnswer(refusal: PayPalRefusal): Answer {
  const debugId = newDebugId();
  return {
    status: refusal.status,
    body: errorBody(refusal, debugId),
    headers: { 'paypal-debug-id': debugId },
    forgettable: true,
  };
}

/** What `effect` gives, or the refusal that it throws. */
export function answerOf(effect: () => Answer): Answer {
  try {
    return effect();
  } catch (error) {
    if (error instanceof PayPalRefusal) return refusalAnswer(error);
    throw error;
  }
}

export const paypalTrouble: TroubleAnswers = {
  unavailable: () => refusalAnswer(new PayPalRefusal(503, 'SERVICE_UNAVAILABLE', null)),
  rateLimited: (retryAfterSeconds) => {
    const refused = refusalAnswer(new PayPalRefusal(429, 'RATE_LIMIT_REACHED', null));
    return { ...refused, headers: { ...refused.headers, 'retry-after': String(retryAfterSeconds) } };
  },
  conflict: () => refusalAnswer(new PayPalRefusal(409, 'RESOURCE_CONFLICT', 'PREVIOUS_REQUEST_IN_PROGRESS')),
  otherParameters: () => refusalAnswer(PayPalRefusal.unprocessable('DUPLICATE_REQUEST_ID')),
  failed: () => refusalAnswer(new PayPalRefusal(500, 'INTERNAL_SERVER_ERROR', null)),
  // what was made is not made again, so that a repeat says 200 where the first said 201
  replayed: (known) => ({ ...known, status: known.status === 201 ? 200 : known.status }),
  remembersFailures: false,
};

function newDebugId(): string {
  return randomBytes(7).toString('hex').slice(0, 13);
}

import Stripe from 'stripe';
import { ProviderError, type ProviderErrorKind } from './payment-gateway.ts';
import { retryAfterMs } from './retry-after.ts';

/** The object is not where the step was possible: reading it tells why. */
const wrongStateCodes = new Set([
  'charge_already_captured',
  'charge_already_refunded',
  'charge_disputed',
  'charge_expired_for_capture',
  'payment_intent_unexpected_state',
]);

/** Refusals of the same kind that Stripe gives no code: of `expire`, `capture` and `refunds`. */
const wrongStateMessages = [
  /^Only Checkout Sessions with a status in/,
  /^Refund amount .* is greater than/,
  /capture amount is greater than/,
];

const busyCodes = new Set(['idempotency_key_in_use', 'lock_timeout', 'rate_limit']);

/** What a failed call means. An error of the SDK is not kept as the cause: it carries the intent with its client secret, and the card. */
export function toProviderError(error: unknown, action: string): ProviderError {
  if (error instanceof ProviderError) return error;
  if (!(error instanceof Stripe.errors.StripeError)) {
    const text = `${action} at Stripe got an answer that was not understood`;
    return new ProviderError('unknown', 'answer_not_understood', text, { cause: error });
  }
  const requestId = error.requestId ?? null;
  if (error instanceof Stripe.errors.StripeConnectionError) {
    const code = networkCodeOf(error.detail) ?? 'connection_lost';
    return new ProviderError('unknown', code, `${action} at Stripe got no usable answer: ${code}`, { requestId });
  }
  const { statusCode, message } = error;
  const code =
    error.code || error.rawType || (statusCode === undefined ? 'answer_not_understood' : `http_${statusCode}`);
  const text = `${action} at Stripe failed with ${statusCode ?? 'no status'} ${code}: ${withoutSecrets(message)}`;
  return new ProviderError(kindOf(error, code), code, text, {
    retryAfterMs: retryAfterMs(error.headers?.['retry-after']),
    requestId,
  });
}

function kindOf(error: InstanceType<typeof Stripe.errors.StripeError>, code: string): ProviderErrorKind {
  const { statusCode = 500, rawType, message } = error;
  if (statusCode >= 500 || statusCode < 400) return 'unknown';
  if (statusCode === 409 || statusCode === 429 || busyCodes.has(code)) return 'busy';
  if (statusCode === 401 || statusCode === 403) return 'unauthorised';
  if (isUnknownObject(error)) return 'not_found';
  if (wrongStateCodes.has(code) || wrongStateMessages.some((words) => words.test(message))) return 'wrong_state';
  if (rawType === 'card_error') return 'declined';
  return 'refused';
}

/**
 * Whether Stripe does not know the object. It does know one of live mode when it is asked with a key of test mode, and a 404 of another
 * code is of a wrong address: to take those for gone would end every open payment on the day somebody gets a setting wrong.
 */
export function isUnknownObject(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return false;
  return error.code === 'resource_missing' && !/exists in (live|test) mode/.test(error.message);
}

/** A failure of the network has its own code, or stands behind the one that the SDK or our client put before it. */
function networkCodeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return networkCodeOf('exception' in error ? error.exception : error.cause);
}

/** Stripe repeats in its sentences what it was sent. */
export function withoutSecrets(message: string): string {
  return message
    .replace(/\b(sk|rk|pk|whsec)_[^\s"',;]+/g, '$1_…')
    .replace(/_secret_\w+/g, '_secret_…')
    .replace(/\b\d(?:[ -]?\d){11,18}\b/g, '…')
    .slice(0, 500);
}

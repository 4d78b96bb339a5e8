import { AbortError, ApiError, ArgumentsValidationError, ResponseValidationError } from '@paypal/paypal-server-sdk';
import { z } from 'zod';
import { ProviderError, type ProviderErrorKind } from './payment-gateway.ts';
import { retryAfterMs } from './retry-after.ts';

/** The customer's side says no. */
const declinedIssues = new Set([
  'CARD_BRAND_NOT_SUPPORTED',
  'CARD_CLOSED',
  'CARD_EXPIRED',
  'COMPLIANCE_VIOLATION',
  'DECLINED_DUE_TO_RELATED_TXN',
  'DOMESTIC_TRANSACTION_REQUIRED',
  'INSTRUMENT_DECLINED',
  'MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED',
  'PAYEE_BLOCKED_TRANSACTION',
  'PAYER_ACCOUNT_LOCKED_OR_CLOSED',
  'PAYER_ACCOUNT_RESTRICTED',
  'PAYER_ACTION_REQUIRED',
  'PAYER_CANNOT_PAY',
  'PAYMENT_DENIED',
  'REDIRECT_PAYER_FOR_ALTERNATE_FUNDING',
  'REFERENCED_CARD_EXPIRED',
  'TRANSACTION_BLOCKED_BY_PAYEE',
  'TRANSACTION_LIMIT_EXCEEDED',
  'TRANSACTION_REFUSED',
]);

/** The object has moved on, or is not there yet: reading it tells. */
const wrongStateIssues = new Set([
  'AUTHORIZATION_ALREADY_CAPTURED',
  'AUTHORIZATION_ALREADY_COMPLETED',
  'AUTHORIZATION_ALREADY_VOIDED',
  'AUTHORIZATION_AMOUNT_EXCEEDED',
  'AUTHORIZATION_DENIED',
  'AUTHORIZATION_EXPIRED',
  'AUTHORIZATION_VOIDED',
  'CANNOT_BE_VOIDED',
  'CAPTURE_FULLY_REFUNDED',
  'MAX_AUTHORIZATION_COUNT_EXCEEDED',
  'MAX_CAPTURE_AMOUNT_EXCEEDED',
  'MAX_CAPTURE_COUNT_EXCEEDED',
  'ORDER_ALREADY_AUTHORIZED',
  'ORDER_ALREADY_CAPTURED',
  'ORDER_ALREADY_COMPLETED',
  'ORDER_COMPLETED_OR_VOIDED',
  'ORDER_EXPIRED',
  'ORDER_NOT_APPROVED',
  'PENDING_CAPTURE',
  'PREVIOUSLY_CAPTURED',
  'PREVIOUSLY_VOIDED',
  'REAUTHORIZATION_NOT_SUPPORTED',
  'REAUTHORIZATION_TOO_SOON',
  'REFUND_AMOUNT_EXCEEDED',
]);

/** Nothing was done, because something else is being done. */
const busyIssues = new Set(['ORDER_COMPLETION_IN_PROGRESS', 'PREVIOUS_REQUEST_IN_PROGRESS', 'RATE_LIMIT_REACHED']);

/** Every shape that PayPal answers a failure with: of the APIs, of the reports and of the token. */
const errorBody = z.object({
  name: z.string().optional(),
  message: z.string().optional(),
  details: z.array(z.object({ issue: z.string().optional(), description: z.string().optional() })).optional(),
  error: z.string().optional(),
  error_description: z.string().optional(),
});

/**
 * What a failed call means. Neither the SDK's error nor that of its HTTP client is kept as the cause: both carry the request with
 * its token or, where the token was asked for, our secret.
 */
export function toProviderError(error: unknown, action: string): ProviderError {
  if (error instanceof ProviderError) return error;
  if (error instanceof ApiError)
    return refusalFrom(action, error.statusCode, typeof error.body === 'string' ? error.body : '', error.headers ?? {});
  if (!(error instanceof Error)) return new ProviderError('unknown', 'UNKNOWN', `${action} at PayPal failed`);
  if (error instanceof ArgumentsValidationError)
    return new ProviderError('refused', 'REQUEST_MALFORMED', `${action} at PayPal could not be sent: ${error.message}`);
  const code = codeOf(error);
  return new ProviderError('unknown', code, `${action} at PayPal got no usable answer: ${code}`);
}

/** The same for an answer that the SDK did not handle. */
export function refusalFrom(
  action: string,
  statusCode: number,
  body: string,
  headers: Record<string, string | undefined>,
): ProviderError {
  const { name, message, details, error, error_description } = parseErrorBody(body);
  const detail = details?.find(({ issue }) => issue !== undefined);
  const code = detail?.issue ?? name ?? error ?? `HTTP_${statusCode}`;
  const reason = detail?.description ?? message ?? error_description;
  const text = `${action} at PayPal failed with ${statusCode} ${code}${reason ? `: ${reason}` : ''}`;
  return new ProviderError(kindOf(statusCode, code), code, text, {
    retryAfterMs: retryAfterMs(headers['retry-after']),
    requestId: headers['paypal-debug-id'] ?? null,
  });
}

function parseErrorBody(body: string): z.infer<typeof errorBody> {
  try {
    return errorBody.safeParse(JSON.parse(body)).data ?? {};
  } catch {
    return {}; // a page of some proxy
  }
}

function kindOf(statusCode: number, code: string): ProviderErrorKind {
  if (statusCode >= 500 || statusCode === 408) return 'unknown';
  if (statusCode === 429 || statusCode === 409 || busyIssues.has(code)) return 'busy';
  if (statusCode === 401 || statusCode === 403) return 'unauthorised';
  if (statusCode === 404) return 'not_found';
  if (declinedIssues.has(code)) return 'declined';
  if (wrongStateIssues.has(code)) return 'wrong_state';
  return 'refused';
}

/** `ECONNRESET`; a time-out has one name, whoever noticed it. */
function codeOf(error: Error): string {
  if (error instanceof AbortError || error.name === 'TimeoutError') return 'ETIMEDOUT';
  if (error instanceof ResponseValidationError || error.message.startsWith('Could not parse body'))
    return 'RESPONSE_MALFORMED';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code !== null) return code === 'ECONNABORTED' ? 'ETIMEDOUT' : code;
  return error.cause instanceof Error ? codeOf(error.cause) : 'UNKNOWN';
}

import { ApiError } from '@paypal/paypal-server-sdk';
import { describe, expect, it } from 'vitest';
import { toProviderError } from './paypal-errors.ts';
import { retryAfterMs } from './retry-after.ts';

function answered(statusCode: number, body: unknown, headers: Record<string, string> = {}): ApiError {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = { method: 'POST', url: 'https://example.org/', headers: { authorization: 'Bearer token' } } as const;
  return new ApiError({ request, response: { statusCode, body: text, headers } }, '');
}

function unprocessable(issue: string): ApiError {
  return answered(422, { name: 'UNPROCESSABLE_ENTITY', details: [{ issue, description: 'A sentence.' }] });
}

describe('a refusal of PayPal’s', () => {
  it.each([
    ['INSTRUMENT_DECLINED', 'declined'],
    ['PAYER_ACTION_REQUIRED', 'declined'],
    ['PAYER_CANNOT_PAY', 'declined'],
    ['TRANSACTION_REFUSED', 'declined'],
    ['ORDER_NOT_APPROVED', 'wrong_state'],
    ['ORDER_ALREADY_AUTHORIZED', 'wrong_state'],
    ['AUTHORIZATION_ALREADY_CAPTURED', 'wrong_state'],
    ['AUTHORIZATION_VOIDED', 'wrong_state'],
    ['AUTHORIZATION_EXPIRED', 'wrong_state'],
    ['PREVIOUSLY_VOIDED', 'wrong_state'],
    ['PREVIOUSLY_CAPTURED', 'wrong_state'],
    ['CAPTURE_FULLY_REFUNDED', 'wrong_state'],
    ['REFUND_AMOUNT_EXCEEDED', 'wrong_state'],
    ['PAYEE_ACCOUNT_RESTRICTED', 'refused'],
    ['CURRENCY_NOT_SUPPORTED', 'refused'],
    ['DUPLICATE_INVOICE_ID', 'refused'],
    ['AN_ISSUE_OF_TOMORROW', 'refused'],
  ])('%s is %s', (issue, kind) => {
    expect(toProviderError(unprocessable(issue), 'Capturing')).toMatchObject({ kind, code: issue });
  });

  it.each([
    [400, { name: 'INVALID_REQUEST' }, 'refused', 'INVALID_REQUEST'],
    [401, { error: 'invalid_token' }, 'unauthorised', 'invalid_token'],
    [403, { name: 'NOT_AUTHORIZED', details: [{ issue: 'PERMISSION_DENIED' }] }, 'unauthorised', 'PERMISSION_DENIED'],
    [
      404,
      { name: 'RESOURCE_NOT_FOUND', details: [{ issue: 'INVALID_RESOURCE_ID' }] },
      'not_found',
      'INVALID_RESOURCE_ID',
    ],
    [408, '', 'unknown', 'HTTP_408'],
    [
      409,
      { name: 'RESOURCE_CONFLICT', details: [{ issue: 'PREVIOUS_REQUEST_IN_PROGRESS' }] },
      'busy',
      'PREVIOUS_REQUEST_IN_PROGRESS',
    ],
    [
      422,
      { details: [{ field: '/x' }, { issue: 'ORDER_COMPLETION_IN_PROGRESS' }] },
      'busy',
      'ORDER_COMPLETION_IN_PROGRESS',
    ],
    [429, { name: 'RATE_LIMIT_REACHED' }, 'busy', 'RATE_LIMIT_REACHED'],
    [500, { name: 'INTERNAL_SERVER_ERROR' }, 'unknown', 'INTERNAL_SERVER_ERROR'],
    [502, '<html>', 'unknown', 'HTTP_502'],
    [503, 'null', 'unknown', 'HTTP_503'],
  ])('with %i %j is %s', (statusCode, body, kind, code) => {
    expect(toProviderError(answered(statusCode, body), 'Capturing')).toMatchObject({ kind, code });
  });

  it('says what was done, what came back, and where PayPal’s support finds it', () => {
    const headers = { 'paypal-debug-id': '90957fca61718', 'retry-after': '7' };
    const body = {
      name: 'UNPROCESSABLE_ENTITY',
      message: 'Not this.',
      details: [{ issue: 'AN_ISSUE', description: 'That.' }],
    };
    const error = toProviderError(answered(422, body, headers), 'Capturing');
    expect(error.message).toBe('Capturing at PayPal failed with 422 AN_ISSUE: That.');
    expect(error).toMatchObject({ requestId: '90957fca61718', retryAfterMs: 7_000 });
    expect(error.cause).toBeUndefined();
  });

  it('has a pause in seconds, as a date, or none', () => {
    expect(retryAfterMs('2')).toBe(2_000);
    expect(retryAfterMs('0')).toBe(0);
    expect(retryAfterMs(undefined)).toBeNull();
    expect(retryAfterMs('soon')).toBeNull();
    const inAMinute = retryAfterMs(new Date(Date.now() + 60_000).toUTCString());
    expect(inAMinute).toBeGreaterThan(58_000);
    expect(inAMinute).toBeLessThanOrEqual(60_000);
    expect(retryAfterMs(new Date(0).toUTCString())).toBe(0);
  });
});

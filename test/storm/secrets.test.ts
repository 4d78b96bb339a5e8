import { describe, expect, it } from 'vitest';
import { findLeaks } from './secrets.ts';

describe('the search for secrets in log lines', () => {
  it.each([
    ['a secret key', 'key sk_test_4eC39HqLyjWDarjtT1'],
    ['a signing secret', '{"secret":"whsec_abcdef"}'],
    ['a bearer token', 'authorization: Bearer 7tQ0FEpH4PsADK7'],
    ['an access token', 'token=A21AAFEpH4PsADK7abc'],
    ['a JSON Web Token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x'],
    ['a password in an address', 'postgres://postgres:hunter22@127.0.0.1:5432/twolane'],
    ['an e-mail address', '{"user":"somebody@example.com"}'],
    ['a raw body', '{"body":"{\\"object\\": \\"event\\",\\"id\\":1}"}'],
    ['a card number', 'paid with 4242 4242 4242 4242.'],
    ['a secret of the environment', 'it is hidden-in-plain-sight'],
  ])('finds %s', (_what, line) => {
    expect(findLeaks([line], ['hidden-in-plain-sight'])).toHaveLength(1);
  });

  it('leaves ordinary lines alone', () => {
    const line =
      '{"level":"info","time":"2026-11-22T12:00:00.000Z","role":"web","reqId":"req-1","orderNumber":1001,"at":1763812800000,"paymentId":"0198f0aa-0000-7000-8000-424242424242","msg":"order placed"}';
    expect(findLeaks([line], ['hidden-in-plain-sight'])).toEqual([]);
  });
});

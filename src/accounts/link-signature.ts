import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a signed address is for: a signature for one purpose is never one for another. */
export type LinkPurpose = 'file' | 'unsubscribe';

/**
 * The signature of an address that works without an account. `endsAt` in ms since 1970, null for ever; it has to travel in the address,
 * as the subject has.
 */
export function signLink(
  secret: string,
  { purpose, subject, endsAt }: { purpose: LinkPurpose; subject: string; endsAt: number | null },
): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify(['twolane-link', purpose, subject, endsAt]))
    .digest('base64url');
}

/** Whether one of the secrets made it; the end is for the caller to look at. */
export function isLinkSignature(
  secrets: readonly string[],
  link: Parameters<typeof signLink>[1],
  signature: string,
): boolean {
  const given = Buffer.from(signature);
  return secrets.some((secret) => {
    const expected = Buffer.from(signLink(secret, link));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
}

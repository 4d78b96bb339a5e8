import { isLinkSignature, signLink } from '../accounts/link-signature.ts';
import { deleteOptOut, insertOptOut } from '../db/email-opt-outs.ts';
import type { Db } from '../db/sql.ts';
import { LinkInvalidError } from '../domain/errors.ts';
import type { MailSettings } from './mail-settings.ts';

/** One address has one link, however it is written, and it never ends: old mails stay in their boxes. */
const linkOf = (address: string) => ({
  purpose: 'unsubscribe' as const,
  subject: address.toLowerCase(),
  endsAt: null,
});

/** Where the owner of an address ends the news of their orders; null where nothing can be signed. */
export function unsubscribeUrl(
  { publicUrl, linkSecrets }: Pick<MailSettings, 'publicUrl' | 'linkSecrets'>,
  address: string,
): string | null {
  const [secret] = linkSecrets;
  if (secret === undefined) return null;
  const url = new URL(`${publicUrl}/v1/mail/unsubscribe`);
  url.searchParams.set('address', address.toLowerCase());
  url.searchParams.set('signature', signLink(secret, linkOf(address)));
  return url.href;
}

/** Throws when it is not the link of this address. */
export function assertUnsubscribeLink(
  { linkSecrets }: Pick<MailSettings, 'linkSecrets'>,
  { address, signature }: { address: string; signature: string },
): void {
  if (address === '' || !isLinkSignature(linkSecrets, linkOf(address), signature)) throw new LinkInvalidError('wrong');
}

/** From now on it gets mails about money alone, or news of its orders again. Twice is once. */
export async function setNewsWanted(db: Db, address: string, isWanted: boolean): Promise<void> {
  if (isWanted) await deleteOptOut(db, address);
  else await insertOptOut(db, address);
}

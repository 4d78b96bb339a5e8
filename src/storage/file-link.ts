import path from 'node:path';
import { isLinkSignature, signLink } from '../accounts/link-signature.ts';
import { LinkInvalidError } from '../domain/errors.ts';

/** A file of a local store, as an address of this server names it. */
export interface FileLink {
  /** A link into one store opens nothing in another. */
  store: string;
  key: string;
  /** How it is called when it is saved; null: as the end of its key. */
  fileName: string | null;
  /** In ms since 1970. */
  endsAt: number;
}

/** The last part of its folder: the folder may move as a whole. */
export const storeNameOf = (folder: string) => path.basename(path.resolve(folder));

export const filesPath = '/v1/files/';

export function fileAddress(publicUrl: string, secret: string, link: FileLink): string {
  const query = new URLSearchParams({
    expires: String(link.endsAt),
    ...(link.fileName !== null && { name: link.fileName }),
    signature: signLink(secret, signed(link)),
  });
  return `${publicUrl.replace(/\/$/, '')}${filesPath}${link.key}?${query}`;
}

/** Throws `LinkInvalidError`. What nobody signed is wrong, never ended: an end can be written by anybody. */
export function assertFileLink(secrets: readonly string[], link: FileLink, signature: string, now = Date.now()): void {
  if (!isLinkSignature(secrets, signed(link), signature)) throw new LinkInvalidError('wrong');
  if (link.endsAt <= now) throw new LinkInvalidError('ended');
}

const signed = ({ store, key, fileName, endsAt }: FileLink) => ({
  purpose: 'file' as const,
  subject: JSON.stringify([store, key, fileName]),
  endsAt,
});

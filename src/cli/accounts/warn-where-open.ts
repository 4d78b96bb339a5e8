import { isLoopback } from '../server-address.ts';
import { type Terminal, writeLine } from '../terminal.ts';

/** Before a password is asked for. */
export function warnWhereOpen({ stderr }: Terminal, url: URL): void {
  if (url.protocol !== 'http:' || isLoopback(url)) return;
  writeLine(stderr, `${url.origin} is not encrypted: whoever listens on the way sees the password`);
}

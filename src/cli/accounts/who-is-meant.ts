import { BadUsageError } from '../failures.ts';
import { isLoopback } from '../server-address.ts';
import type { SessionStore } from './session-file.ts';

/**
 * The account of a command without --as: the only one that was signed in by hand at this server; else, on this machine,
 * the sample account that the command is for. Anywhere else nobody is assumed.
 */
export async function whoIsMeant(store: SessionStore, url: URL, sampleAccount?: string): Promise<string> {
  const sessions = (await store.read()).filter(({ server, isAutomatic }) => server === url.origin && !isAutomatic);
  const [session] = sessions;
  if (session && sessions.length === 1) return session.email;
  if (session) {
    throw new BadUsageError(`several accounts are signed in at ${url.origin}: say which one is meant`, [
      ...sessions.map(({ email }) => `--as ${email}`),
      '`twolane logout E-MAIL` signs one out',
    ]);
  }
  if (sampleAccount !== undefined && isLoopback(url)) return sampleAccount;
  throw new BadUsageError(`nobody is signed in at ${url.origin}`, ['sign in with `twolane login E-MAIL`']);
}

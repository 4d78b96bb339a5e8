import { sampleEmails, samplePassword } from '../../domain/user.ts';
import type { Server, TokenSource } from '../api-client.ts';
import { CliError, exitCodes } from '../failures.ts';
import { RefusedError } from '../problem.ts';
import { isLoopback } from '../server-address.ts';
import { logIn, refreshTokens, sessionFrom } from './auth-calls.ts';
import type { Session, SessionStore } from './session-file.ts';

/**
 * The tokens of this command's accounts. Each is
 * 1. the one at hand, while it is fresh;
 * 2. else what the store holds by now: another command may have renewed it;
 * 3. else a new one for the refresh token. That one is read from the store at the last moment: one that another command
 *    used long ago would end the whole session;
 * 4. else, for a sample account of a server on this machine, a sign-in with the sample password.
 */
export class SignIn implements TokenSource {
  readonly #store: SessionStore;
  readonly #atHand = new Map<string, Session>();
  readonly #underWay = new Map<string, Promise<Session>>();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  async current(server: Server, user: string): Promise<string> {
    const session = this.#atHand.get(keyOf(server, user));
    return (session && isFresh(session) ? session : await this.#renewOnce(server, user)).accessToken;
  }

  async renew(server: Server, user: string, refused: string): Promise<string> {
    return (await this.#renewOnce(server, user, refused)).accessToken;
  }

  /** Requests that find the same token old at the same moment share the new one. */
  #renewOnce(server: Server, user: string, refused?: string): Promise<Session> {
    const key = keyOf(server, user);
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const renewing = this.#renew(server, user, refused).then((session) => {
      this.#atHand.set(key, session);
      return session;
    });
    this.#underWay.set(key, renewing);
    return renewing.finally(() => this.#underWay.delete(key));
  }

  async #renew(server: Server, user: string, refused: string | undefined): Promise<Session> {
    const session = await this.#kept(server, user);
    if (!session) return this.#signInAsSample(server, user, 'is not signed in');
    if (session.accessToken !== refused && isFresh(session)) return session;
    try {
      const tokens = await refreshTokens(server, session.refreshToken);
      return await this.#keep(sessionFrom(server, tokens, session.isAutomatic));
    } catch (error) {
      if (!(error instanceof RefusedError) || !hasEnded(error)) throw error;
    }
    const newer = await this.#kept(server, user);
    if (newer && newer.refreshToken !== session.refreshToken) return newer;
    await this.#store.change((sessions) => sessions.filter((one) => one.refreshToken !== session.refreshToken));
    return this.#signInAsSample(server, user, 'is not signed in any more');
  }

  async #kept(server: Server, user: string): Promise<Session | undefined> {
    const key = keyOf(server, user);
    const kept = (await this.#store.read()).find((one) => keyOfSession(one) === key);
    return kept ?? this.#atHand.get(key);
  }

  async #keep(session: Session): Promise<Session> {
    try {
      await keepSession(this.#store, session);
    } catch (error) {
      if (!session.isAutomatic || !(error instanceof CliError)) throw error; // the next command signs in by itself
    }
    return session;
  }

  async #signInAsSample(server: Server, user: string, what: string): Promise<Session> {
    if (!isSample(user) || !isLoopback(server.url)) throw new NotSignedInError(server, user, what);
    try {
      return await this.#keep(sessionFrom(server, await logIn(server, user, samplePassword), true));
    } catch (error) {
      if (!(error instanceof RefusedError) || error.code !== 'credentials_invalid') throw error;
      throw new CliError(`${server.url.origin} has no sample account ${user}`, [
        'sign in with `twolane login E-MAIL`, and name another account with --as E-MAIL where several are signed in',
      ]);
    }
  }
}

export async function keepSession(store: SessionStore, session: Session): Promise<void> {
  const key = keyOfSession(session);
  await store.change((sessions) => [...sessions.filter((one) => keyOfSession(one) !== key), session]);
}

export class NotSignedInError extends CliError {
  constructor({ url }: Server, user: string, what: string) {
    super(`${user} ${what} at ${url.origin}`, [`sign in with \`twolane login ${user}\``], exitCodes.failed);
  }
}

/** Accounts that come with the demo; their password is public, and sent to this machine alone. */
function isSample(user: string): boolean {
  return sampleEmails.includes(user.toLowerCase());
}

function isFresh({ renewAtMs }: Session): boolean {
  return Date.now() < renewAtMs;
}

function hasEnded({ status }: RefusedError): boolean {
  return status === 401 || status === 400; // 400: what stands in the file is no token at all
}

const keyOf = ({ url }: Server, user: string) => `${url.origin} ${user.toLowerCase()}`;
const keyOfSession = ({ server, email }: Session) => `${server} ${email.toLowerCase()}`;

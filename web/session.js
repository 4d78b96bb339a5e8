import { addSession, followSession, readSession, removeSession, replaceSession } from './session-store.js';

const answerWithinMs = 15_000;
/** An access token is renewed this long before its end; a tenth of its life before it when that is less. */
const earlyMs = 30_000;

/** The sign-in has ended, and nobody signed in again. */
export class SignedOutError extends Error {}

/** The server answered, and not with what it was asked for. */
export class RefusedError extends Error {
  constructor(response) {
    super(`refused with ${response.status}`);
    this.response = response;
  }
}

/**
 * Who is signed in on this page, and calls in their name. `onChange()` is called when that may be somebody else, or nobody;
 * `askAgain()` shows the sign-in and says whether somebody signed in.
 */
export function openSession({ onChange, askAgain }) {
  let held = null;
  let renewing = null;

  const hold = ({ accessToken, expiresIn, user }, askedAt) => {
    const lifeMs = expiresIn * 1_000;
    held = { accessToken, userId: user.id, renewAt: askedAt + lifeMs - Math.min(earlyMs, lifeMs / 10) };
  };

  /** Null when nobody is signed in, or not any more. */
  async function freshToken() {
    const session = readSession();
    if (!session) return null;
    if (held?.userId === session.user.id && Date.now() < held.renewAt) return held.accessToken;
    renewing ??= renew(session).finally(() => {
      renewing = null;
    });
    return renewing;
  }

  async function renew(session) {
    const askedAt = Date.now();
    const response = await post('/v1/auth/refresh', { refreshToken: session.refreshToken });
    const answer = response.ok ? await response.json() : null;
    const isOver = response.status === 401 || response.status === 400;
    if (!answer && !isOver) throw new RefusedError(response);
    const now = readSession(); // another tab may have renewed it meanwhile, or signed out
    if (!now) return null;
    const isSame = now.refreshToken === session.refreshToken;
    if (answer) {
      hold(answer, askedAt);
      if (isSame) replaceSession(session, answer);
      if (answer.user.role !== session.user.role) onChange();
      return answer.accessToken;
    }
    if (!isSame) return renew(now);
    removeSession(session);
    return null;
  }

  async function tryCall(path, request) {
    for (let isRepeat = false; ; isRepeat = true) {
      const accessToken = await freshToken();
      if (!accessToken) return null;
      const headers = { ...request.headers, authorization: `Bearer ${accessToken}` };
      const response = await fetch(path, { ...request, headers });
      if (response.status !== 401) return response;
      if (held?.accessToken === accessToken) held = null; // refused before its time: a new one may do
      if (!isRepeat) continue;
      const session = readSession();
      if (session) removeSession(session);
      return null;
    }
  }

  followSession(onChange);

  return {
    get user() {
      return readSession()?.user ?? null;
    },

    /**
     * `fetch` in the name of who is signed in. With `mayAsk` a sign-in that has ended is asked for again, and the call goes
     * on after it. Throws `SignedOutError`, `RefusedError` when the sign-in could not be renewed, else what `fetch` throws.
     */
    async fetch(path, request = {}, { mayAsk = false } = {}) {
      for (;;) {
        const response = await tryCall(path, request);
        if (response) return response;
        if (mayAsk && (await askAgain())) continue;
        onChange();
        throw new SignedOutError();
      }
    },

    /** Throws `RefusedError`, else what `fetch` throws. */
    async signIn({ email, password, isKept, signal }) {
      const askedAt = Date.now();
      const response = await post('/v1/auth/login', { email, password }, { signal });
      if (!response.ok) throw new RefusedError(response);
      const answer = await response.json();
      addSession({ refreshToken: answer.refreshToken, user: answer.user, isKept });
      hold(answer, askedAt);
      onChange();
    },

    /** At once on this page. Where the server cannot be told, its session stays, but nobody has a token of it. */
    signOut() {
      held = null;
      for (let session = readSession(); session; session = readSession()) {
        removeSession(session);
        post('/v1/auth/logout', { refreshToken: session.refreshToken }, { keepalive: true }).catch(() => undefined);
      }
      onChange();
    },

    /** Asks anew who this is: after a refusal the role may be another one. */
    async readUser() {
      const response = await tryCall('/v1/me', {});
      if (!response?.ok) return;
      const { user } = await response.json();
      const session = readSession();
      if (session?.user.id === user.id) replaceSession(session, { refreshToken: session.refreshToken, user });
      onChange();
    },
  };
}

function post(path, body, { signal, keepalive = false } = {}) {
  const timeout = AbortSignal.timeout(answerWithinMs);
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    keepalive, // goes out although the tab is closed
  });
}

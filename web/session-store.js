/**
 * Where a sign-in outlives a reload: its refresh token, and the name and role to show before anything was asked.
 *
 * In sessionStorage by default, so that it ends with its tab: a screen that many people pass forgets who worked at it. In
 * localStorage when somebody asks to stay signed in on the device, until they sign out or the token ends. A script of
 * somebody else's could read both; the Content-Security-Policy of this page lets none run. The access token stays in memory:
 * a reload makes a new one.
 */
const key = 'twolane.session';
const channel = new BroadcastChannel(key);
const blocked = new Map();

/** What a browser that keeps nothing for us (its user said so) offers instead: as long as the page is open. */
const memory = {
  getItem: (name) => blocked.get(name) ?? null,
  setItem: (name, text) => blocked.set(name, text),
  removeItem: (name) => blocked.delete(name),
};

function storage(isKept) {
  try {
    return isKept ? localStorage : sessionStorage;
  } catch {
    return memory;
  }
}

/** `{ refreshToken, user, isKept }`, or null when nobody is signed in here. */
export function readSession() {
  return read(false) ?? read(true);
}

function read(isKept) {
  try {
    const { refreshToken, user } = JSON.parse(storage(isKept).getItem(key));
    return typeof refreshToken === 'string' && user.role ? { refreshToken, user, isKept } : null;
  } catch {
    return null; // nothing there, or nothing of ours
  }
}

function write({ refreshToken, user, isKept }) {
  storage(isKept).setItem(key, JSON.stringify({ refreshToken, user }));
}

export const addSession = write;

export function replaceSession(session, { refreshToken, user }) {
  const next = { ...session, refreshToken, user };
  write(next);
  tellCopies(session, next);
}

export function removeSession(session) {
  storage(session.isKept).removeItem(key);
  tellCopies(session, null);
}

/** A duplicated tab has a copy of sessionStorage. With a token that was used up here it would end the session of both. */
function tellCopies({ refreshToken, isKept }, next) {
  if (!isKept) channel.postMessage({ replaced: refreshToken, next });
}

/** Calls back when another tab has changed who is signed in here. */
export function followSession(onChange) {
  addEventListener('storage', (event) => {
    if (event.key === key || event.key === null) onChange();
  });
  channel.addEventListener('message', ({ data: { replaced, next } }) => {
    if (read(false)?.refreshToken !== replaced) return;
    if (next) write(next);
    else storage(false).removeItem(key);
    onChange();
  });
}

/** Until there is sign-in: the sample accounts, which the server believes on the machine it runs on. */
const accounts = { normal: 'normal@twolane.test', vip: 'vip@twolane.test', manager: 'manager@twolane.test' };
const tries = 3;
const retryMs = 1_000;

export const noAnswer = 'The server does not answer. Try again in a moment.';

export class ActionError extends Error {}

/** `mayRetry()` is false while it is known that the server is away: then a press is answered at once. */
export const actions = {
  'normal-order': (mayRetry) => placeOrder(accounts.normal, mayRetry),
  'vip-order': (mayRetry) => placeOrder(accounts.vip, mayRetry),
  async 'add-bot'(mayRetry) {
    const { bot } = await call('POST', '/v1/bots', accounts.manager, { mayRetry });
    return `Bot ${bot.number} added.`;
  },
  async 'remove-bot'(mayRetry) {
    const { bot, returnedOrderNumber } = await call('DELETE', '/v1/bots/newest', accounts.manager, { mayRetry });
    const returned = returnedOrderNumber === null ? '' : ` Order ${returnedOrderNumber} is back in its place.`;
    return `Bot ${bot.number} removed.${returned}`;
  },
};

/** Null when this page may not know. */
export async function fetchBots() {
  const response = await fetch('/v1/bots', { headers: { 'x-twolane-user': accounts.manager } });
  return response.ok ? (await response.json()).bots : null;
}

/** The board as it is now; null when it cannot be had. */
export async function fetchBoard() {
  const response = await fetch('/v1/board').catch(() => null);
  return response?.ok ? response.json() : null;
}

async function placeOrder(user, mayRetry) {
  const { products } = await call('GET', '/v1/products', user, { mayRetry });
  const available = products.filter(({ isAvailable }) => isAvailable);
  if (available.length === 0) throw new ActionError('There are no products to order. Import some first.');
  const chosen = shuffle(available).slice(0, 1 + Math.floor(Math.random() * 3));
  const body = { items: chosen.map(({ sku }) => ({ sku, quantity: 1 })), payment: { method: 'counter' } };
  const { order } = await call('POST', '/v1/orders', user, { body, mayRetry });
  return `Order ${order.number} placed.`;
}

/** The same Idempotency-Key on every try of one click: an answer that was lost never makes a second order. */
async function call(method, path, user, { body, mayRetry }) {
  const headers = { 'x-twolane-user': user };
  if (body) Object.assign(headers, { 'content-type': 'application/json', 'idempotency-key': randomKey() });
  const request = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const isSafe = method === 'GET' || body !== undefined;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(path, request).catch(() => null); // the server is away
    if (response?.ok) return response.json();
    const isLast = !isSafe || attempt === tries || !mayRetry();
    if (isLast || (response && response.status !== 503)) throw await describe(response);
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

async function describe(response) {
  if (!response) return new ActionError(noAnswer);
  if (response.status === 401) {
    return new ActionError(
      'Nobody is signed in. Until accounts have a sign-in, these buttons work only on the machine that runs the demo.',
    );
  }
  const problem = await response.json().catch(() => ({})); // from a proxy, perhaps
  return new ActionError(problem.detail ?? `The server refused (${response.status}).`);
}

function shuffle(list) {
  const shuffled = [...list];
  for (let index = shuffled.length - 1; index > 0; index -= 1) {
    const other = Math.floor(Math.random() * (index + 1));
    [shuffled[index], shuffled[other]] = [shuffled[other], shuffled[index]];
  }
  return shuffled;
}

/** `crypto.randomUUID` is there only on https and localhost. */
const randomKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

import { noAnswer, readProblem } from './problem.js';
import { RefusedError, SignedOutError } from './session.js';

const tries = 3;
const retryMs = 1_000;

export class ActionError extends Error {}

/** What the buttons do, in the name of who is signed in. */
export function createActions(session) {
  return {
    order: (mayRetry) => placeOrder({}, mayRetry),
    'normal-order': (mayRetry) => placeOrder({ lane: 'normal' }, mayRetry),
    'vip-order': (mayRetry) => placeOrder({ lane: 'vip' }, mayRetry),
    async 'add-bot'(mayRetry) {
      const { bot } = await call('POST', '/v1/bots', { mayRetry });
      return `Bot ${bot.number} added.`;
    },
    async 'remove-bot'(mayRetry) {
      const { bot, returnedOrderNumber } = await call('DELETE', '/v1/bots/newest', { mayRetry });
      const returned = returnedOrderNumber === null ? '' : ` Order ${returnedOrderNumber} is back in its place.`;
      return `Bot ${bot.number} removed.${returned}`;
    },
  };

  async function placeOrder(options, mayRetry) {
    const { products } = await call('GET', '/v1/products', { mayRetry });
    const available = products.filter(({ isAvailable }) => isAvailable);
    if (available.length === 0) throw new ActionError('There are no products to order. Import some first.');
    const chosen = shuffle(available).slice(0, 1 + Math.floor(Math.random() * 3));
    const items = chosen.map(({ sku }) => ({ sku, quantity: 1 }));
    const body = { items, payment: { method: 'counter' }, ...options };
    const { order } = await call('POST', '/v1/orders', { body, mayRetry });
    return `Order ${order.number} placed.`;
  }

  /**
   * The same Idempotency-Key on every try of one click: an answer that was lost never makes a second order. `mayRetry()` is
   * false while it is known that the server is away: then a press is answered at once.
   */
  async function call(method, path, { body, mayRetry }) {
    const headers = body && { 'content-type': 'application/json', 'idempotency-key': randomKey() };
    const request = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const isSafe = method === 'GET' || body !== undefined;
    for (let attempt = 1; ; attempt += 1) {
      const response = await answerTo(path, request);
      if (response?.ok) return response.json();
      if (response?.status === 403) await session.readUser().catch(() => undefined); // the refusal is what matters
      const isLast = !isSafe || attempt === tries || !mayRetry();
      if (isLast || (response && response.status !== 503)) throw await describe(response);
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  /** Null when the server is away. */
  async function answerTo(path, request) {
    try {
      return await session.fetch(path, request, { mayAsk: true });
    } catch (error) {
      if (error instanceof SignedOutError) throw error;
      return error instanceof RefusedError ? error.response : null;
    }
  }
}

/** Null when it cannot be had. Throws `SignedOutError`. */
export async function fetchBots(session) {
  try {
    const response = await session.fetch('/v1/bots');
    return response.ok ? (await response.json()).bots : null;
  } catch (error) {
    if (error instanceof SignedOutError) throw error;
    return null;
  }
}

/** The board as it is now; null when it cannot be had. */
export async function fetchBoard() {
  const response = await fetch('/v1/board').catch(() => null);
  return response?.ok ? response.json() : null;
}

async function describe(response) {
  return new ActionError(response ? (await readProblem(response)).detail : noAnswer);
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

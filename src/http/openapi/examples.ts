import type { Order } from '../../domain/order.ts';
import type { User } from '../../domain/user.ts';

interface Examples {
  body?: unknown;
  answers?: Readonly<Record<number, unknown>>;
}

const euros = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });

const placed: Order = {
  number: 1042,
  lane: 'vip',
  status: 'pending',
  items: [{ sku: 'espresso', name: 'Espresso', quantity: 2, unitPrice: euros(240), total: euros(480) }],
  total: euros(480),
  payment: { method: 'counter', status: null, checkoutUrl: null, reference: null, authorisedUntil: null },
  customerName: 'Ada',
  note: 'no sugar',
  attempt: 0,
  botNumber: null,
  position: null,
  estimatedReadyAt: null,
  placedAt: '2026-11-22T09:00:00.000Z',
  startedAt: null,
  completedAt: null,
  cancelledAt: null,
  failureReason: null,
};
const waiting: Order = { ...placed, position: 3, estimatedReadyAt: '2026-11-22T09:00:40.000Z' };
const processing: Order = {
  ...placed,
  status: 'processing',
  attempt: 1,
  botNumber: 2,
  startedAt: '2026-11-22T09:00:12.500Z',
};
const complete: Order = { ...processing, status: 'complete', completedAt: '2026-11-22T09:00:22.500Z' };

const ada: User = {
  id: '019aa6b0-7c1e-7d3a-9a51-3f6f0c2f8a11',
  email: 'ada@example.com',
  displayName: 'Ada',
  role: 'NORMAL',
  createdAt: '2026-11-22T08:30:00.000Z',
};
const session = {
  accessToken: 'eyJhbGciOiJIUzI1NiIs…',
  refreshToken: 'V3sZkq0c8m1xJtq4…',
  tokenType: 'Bearer',
  expiresIn: 900,
  user: ada,
};
const attempt = { orderNumber: 1042, attempt: 1 };
const inHand = { order: processing, leaseMs: 10_000 };

/** By operationId: what a reader may copy. */
export const examples: Readonly<Record<string, Examples>> = {
  register: {
    body: { email: ada.email, password: 'a long sentence that only I know', displayName: ada.displayName },
    answers: { 201: { user: ada } },
  },
  signIn: {
    body: { email: ada.email, password: 'a long sentence that only I know' },
    answers: { 200: session },
  },
  refreshSession: { body: { refreshToken: session.refreshToken }, answers: { 200: session } },
  signOut: { body: { refreshToken: session.refreshToken } },
  getMe: { answers: { 200: { user: ada } } },
  changePassword: {
    body: {
      currentPassword: 'a long sentence that only I know',
      newPassword: 'another long sentence that only I know',
    },
  },
  setPassword: { body: { password: 'a long sentence, to be changed by her' } },
  setRole: { body: { role: 'VIP' }, answers: { 200: { user: { ...ada, role: 'VIP' } } } },
  claimOrder: { answers: { 200: inHand } },
  sendHeartbeat: { body: attempt, answers: { 200: inHand } },
  completeOrder: { body: attempt, answers: { 200: { ...inHand, order: complete } } },
  failOrder: { body: { ...attempt, reason: 'the oven is cold', retryable: true } },
  placeOrder: {
    body: {
      items: [{ sku: 'espresso', quantity: 2 }],
      payment: { method: 'counter' },
      note: 'no sugar',
      customerName: 'Ada',
    },
    answers: { 200: { order: complete }, 201: { order: placed } },
  },
  getReceipt: {
    answers: {
      200: {
        receipt: {
          url: 'https://shop.example/v1/files/receipts/2026/1042-9b04d7f1a2c6.pdf?expires=1772447400000&name=receipt-1042.pdf&signature=Xb0gK2v9qTz4mJ7c',
          expiresAt: '2026-03-02T10:30:00.000Z',
          fileName: 'receipt-1042.pdf',
          madeAt: '2026-03-02T09:31:12.480Z',
        },
      },
    },
  },
  getOrder: { answers: { 200: { order: waiting } } },
  listOrders: { answers: { 200: { orders: [processing], nextCursor: '1042' } } },
  listOrderEvents: {
    answers: {
      200: {
        events: [
          { id: '7', at: placed.placedAt, type: 'placed', actor: 'customer', attempt: 0, detail: null },
          { id: '9', at: '2026-11-22T09:00:12.500Z', type: 'started', actor: 'bot 2', attempt: 1, detail: null },
        ],
      },
    },
  },
  cancelOrder: {
    body: { reason: 'changed my mind' },
    answers: { 200: { order: { ...placed, status: 'cancelled', cancelledAt: '2026-11-22T09:01:00.000Z' } } },
  },
  listProducts: {
    answers: {
      200: {
        products: [
          {
            sku: 'espresso',
            name: 'Espresso',
            description: 'Short and strong.',
            price: euros(240),
            imageUrl: '/media/products/espresso.3fa9c1d2e4b5.svg',
            soundUrl: '/media/sounds/ready.9b04d7f1a2c6.wav',
            isAvailable: true,
          },
        ],
      },
    },
  },
  listBots: {
    answers: {
      200: {
        bots: [
          { number: 1, status: 'idle', orderNumber: null, startedAt: null, host: 'kitchen-1' },
          {
            number: 2,
            status: 'processing',
            orderNumber: 1042,
            startedAt: '2026-11-22T09:00:12.500Z',
            host: 'kitchen-1',
          },
        ],
      },
    },
  },
  importProducts: {
    body: { products: [{ sku: 'tea', name: 'Tea', price: euros(220), description: 'Green or black.' }] },
    answers: { 200: { imported: 1 } },
  },
  followBoard: {
    answers: {
      200: 'id: 712-9\nevent: order\ndata: {"number":1042,"lane":"vip","from":"pending","to":"processing","botNumber":2,"at":"2026-11-22T09:00:12.500Z"}\n\n',
    },
  },
};

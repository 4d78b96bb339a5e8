/** What each caller is answered; `-` where the call cannot be made (nobody has an order of their own without a role that places one). */
export type Callers = 'nobody' | 'NORMAL' | 'VIP' | 'MANAGER' | 'BOT' | 'admin';
export const callers: Callers[] = ['nobody', 'NORMAL', 'VIP', 'MANAGER', 'BOT', 'admin'];

/** A status for each caller, in the order of `callers`. */
type Row = readonly [number | '-', number | '-', number | '-', number | '-', number | '-', number | '-'];

export interface TableEntry {
  /** Bodies and paths are made by the test's scene under this name. */
  request?: string;
  answers: Row;
  /** The same call on an order of somebody else. */
  foreign?: Row;
}

const everybody = [200, 200, 200, 200, 200, 200] as const;
const admins = [401, 401, 401, 401, 401, 200] as const;
const adminsAndManagers = [401, 403, 403, 200, 403, 200] as const;
const managers = [401, 403, 403, 200, 403, 401] as const;
const nothingThere = [404, 404, 404, 404, 404, 404] as const; // without the number of an order
const accounts = [401, 200, 200, 200, 200, 401] as const;
const robots = [401, 403, 403, 403, 200, 401] as const;

/** Every route × every caller. A route without a line here fails the test, and so does a line without its route. */
export const accessTable: Record<string, TableEntry> = {
  'GET /healthz': { answers: everybody },
  'GET /readyz': { answers: everybody },
  'GET /': { answers: everybody },
  'GET /assets/*': { request: 'asset', answers: everybody },
  'GET /assets/demo-accounts.json': { answers: everybody },
  'GET /media/*': { request: 'picture', answers: everybody },
  'GET /docs': { answers: everybody },
  'GET /docs/docs-start.js': { answers: everybody },
  'GET /docs/docs.css': { answers: everybody },
  'GET /docs/scalar.js': { answers: everybody },
  'GET /metrics': { answers: admins },
  'GET /openapi.json': { answers: everybody },

  'POST /v1/auth/register': { request: 'registration', answers: [201, 201, 201, 201, 201, 201] },
  'POST /v1/auth/login': { request: 'credentials', answers: everybody },
  'POST /v1/auth/refresh': { request: 'refreshToken', answers: everybody },
  'POST /v1/auth/logout': { request: 'refreshToken', answers: [204, 204, 204, 204, 204, 204] },
  'GET /v1/me': { answers: accounts },
  'POST /v1/me/password': { request: 'passwordChange', answers: [401, 204, 204, 204, 204, 401] },
  'PATCH /v1/users/:id': { request: 'role', answers: managers },

  'GET /v1/products': { answers: everybody },

  'POST /v1/orders': { request: 'order', answers: [401, 201, 201, 201, 403, 401] },
  'GET /v1/orders': { answers: accounts },
  'GET /v1/orders/:number': {
    request: 'pendingOrder',
    answers: ['-', 200, 200, 200, '-', '-'],
    foreign: [401, 404, 404, 200, 404, 401],
  },
  'GET /v1/orders/:number/events': {
    request: 'pendingOrder',
    answers: ['-', 200, 200, 200, '-', '-'],
    foreign: [401, 404, 404, 200, 404, 401],
  },
  'POST /v1/orders/:number/cancel': {
    request: 'pendingOrder',
    answers: ['-', 200, 200, 200, '-', '-'],
    foreign: [401, 404, 404, 200, 404, 401],
  },
  'POST /v1/orders/:number/retry': {
    request: 'failedOrder',
    answers: ['-', 403, 403, 200, '-', '-'],
    foreign: [401, 403, 403, 200, 403, 401],
  },
  'POST /v1/orders/:number/checkout': {
    request: 'pendingOrder',
    answers: ['-', 409, 409, 409, '-', '-'],
    foreign: [401, 404, 404, 409, 404, 401],
  },
  'POST /v1/orders/:number/refunds': {
    request: 'pendingOrder',
    answers: ['-', 403, 403, 409, '-', '-'],
    foreign: [401, 403, 403, 409, 403, 401],
  },

  'GET /v1/orders/:number/receipt': {
    request: 'pendingOrder',
    answers: ['-', 404, 404, 404, '-', '-'], // nothing was captured
    foreign: [401, 404, 404, 404, 404, 401],
  },
  'GET /dev/mail': { answers: everybody }, // where mails go; in production it is not there
  'GET /v1/files/*': { answers: [403, 403, 403, 403, 403, 403] }, // without a signature
  'GET /v1/mail/unsubscribe': { answers: [403, 403, 403, 403, 403, 403] }, // without a signature
  'POST /v1/mail/unsubscribe': { answers: [403, 403, 403, 403, 403, 403] },
  'POST /v1/orders/:number/payment/retry': {
    request: 'pendingOrder',
    answers: ['-', 403, 403, 409, '-', '-'],
    foreign: [401, 403, 403, 409, 403, 401],
  },
  'POST /v1/webhooks/stripe': { answers: [422, 422, 422, 422, 422, 422] }, // no provider is set up there
  'POST /v1/webhooks/paypal': { answers: [422, 422, 422, 422, 422, 422] },

  'GET /v1/checkout/success': { answers: nothingThere },
  'GET /v1/checkout/cancel': { answers: nothingThere },

  'GET /v1/bots': { answers: accounts },
  'POST /v1/bots': { answers: [401, 403, 403, 201, 403, 401] },
  'DELETE /v1/bots/newest': { request: 'oneMoreBot', answers: managers },

  'POST /v1/bots/self/claim': { answers: robots },
  'POST /v1/bots/self/heartbeat': { request: 'orderInHand', answers: robots, foreign: [401, 403, 403, 403, 409, 401] },
  'POST /v1/bots/self/complete': { request: 'orderInHand', answers: robots, foreign: [401, 403, 403, 403, 409, 401] },
  'POST /v1/bots/self/fail': { request: 'orderThatFails', answers: robots, foreign: [401, 403, 403, 403, 409, 401] },

  'GET /v1/board': { answers: everybody },
  'GET /v1/board/stream': { answers: everybody },

  'POST /v1/admin/users': { request: 'newAccount', answers: [401, 401, 401, 401, 401, 201] },
  'GET /v1/admin/users': { answers: adminsAndManagers },
  'PATCH /v1/admin/users/:id': { request: 'role', answers: admins },
  'PUT /v1/admin/users/:id/password': { request: 'password', answers: [401, 401, 401, 401, 401, 204] },
  'DELETE /v1/admin/users/:id': { request: 'someAccount', answers: [401, 401, 401, 401, 401, 204] },
  'GET /v1/admin/audit': { answers: adminsAndManagers },
  'GET /v1/admin/queues': { answers: adminsAndManagers },
  'POST /v1/admin/queues/rebuild': { answers: admins },
  'GET /v1/admin/reconciliation': { answers: adminsAndManagers },
  'POST /v1/admin/reconciliation': { answers: admins },
  'GET /v1/admin/quarantine': { answers: adminsAndManagers },
  'POST /v1/admin/quarantine/:id/release': { request: 'someAccount', answers: [401, 401, 401, 401, 401, 404] },
  'POST /v1/admin/quarantine/:id/discard': { request: 'someAccount', answers: [401, 401, 401, 401, 401, 404] },
  'GET /v1/admin/backups': { answers: adminsAndManagers },
  'POST /v1/admin/backups': { answers: [401, 401, 401, 401, 401, 202] },
  'GET /v1/admin/backups/:id': { request: 'someAccount', answers: [401, 403, 403, 404, 403, 404] },
  'POST /v1/admin/products': { request: 'products', answers: admins },
};

/** Routes of others' making, under one prefix: only whether somebody gets in is compared. */
export const accessByPrefix: Record<string, 'everybody' | 'admins'> = {
  '/admin/backups': 'admins',
  '/admin/queues': 'admins',
};

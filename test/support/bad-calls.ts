import { manager, vip } from './api.ts';
import { adminHeader } from './engine.ts';

const good = { items: [{ sku: 'espresso', quantity: 1 }], payment: { method: 'counter' } };
const robot = 'bot@twolane.test';
const megabyte = 1024 * 1024;
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** A request that must be refused, with how. */
export interface BadCall {
  name: string;
  status: number;
  code: string;
  /** The faults must name this place of the input. */
  path?: string;
  method?: string;
  route?: string;
  as?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

const item = (more: Record<string, unknown>) => ({ ...good, items: [{ sku: 'espresso', quantity: 1, ...more }] });
export const invalid = { status: 400, code: 'input_invalid' };

export const badOrders: BadCall[] = [
  { name: 'malformed JSON', ...invalid, body: '{"items": [' },
  { name: 'JSON that ends too early', ...invalid, body: '{"items"' },
  { name: 'no body', ...invalid, headers: { 'content-type': 'application/json' } },
  { name: 'an empty body', ...invalid, body: '' },
  { name: 'null', ...invalid, body: 'null' },
  { name: 'an array', ...invalid, body: [good] },
  { name: 'a text', ...invalid, body: '"order"' },
  { name: 'an empty object', ...invalid, body: {}, path: 'items' },
  {
    name: 'plain text',
    status: 415,
    code: 'media_type_unsupported',
    body: 'one espresso',
    headers: { 'content-type': 'text/plain' },
  },
  {
    name: 'a form',
    status: 415,
    code: 'media_type_unsupported',
    body: 'sku=espresso',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  },
  {
    name: 'XML',
    status: 415,
    code: 'media_type_unsupported',
    body: '<order/>',
    headers: { 'content-type': 'application/xml' },
  },
  {
    name: 'a body of 10 MB',
    status: 413,
    code: 'body_too_large',
    body: JSON.stringify({ ...good, note: 'x'.repeat(10 * megabyte) }),
  },
  { name: 'an unknown sku', status: 422, code: 'product_unknown', body: item({ sku: 'unicorn' }) },
  { name: 'a sku with a null character', status: 422, code: 'product_unknown', body: item({ sku: 'espresso\0' }) },
  { name: 'a sku of SQL', status: 422, code: 'product_unknown', body: item({ sku: "'; DROP TABLE orders; --" }) },
  { name: 'the sku __proto__', status: 422, code: 'product_unknown', body: item({ sku: '__proto__' }) },
  { name: 'an empty sku', ...invalid, body: item({ sku: '' }), path: 'items.0.sku' },
  { name: 'a sku that is a number', ...invalid, body: item({ sku: 7 }), path: 'items.0.sku' },
  { name: 'a sku that is an object', ...invalid, body: item({ sku: { $ne: null } }), path: 'items.0.sku' },
  ...[0, -1, 1e9, 1.5, '2', null, true, [1]].map(
    (quantity): BadCall => ({
      name: `quantity ${JSON.stringify(quantity)}`,
      ...invalid,
      body: item({ quantity }),
      path: 'items.0.quantity',
    }),
  ),
  {
    name: 'a quantity that is no number of JSON',
    ...invalid,
    body: '{"items":[{"sku":"espresso","quantity":NaN}],"payment":{"method":"counter"}}',
  },
  {
    name: 'quantity 1e400',
    ...invalid,
    body: '{"items":[{"sku":"espresso","quantity":1e400}],"payment":{"method":"counter"}}',
    path: 'items.0.quantity',
  },
  { name: 'no items', ...invalid, body: { ...good, items: [] }, path: 'items' },
  { name: 'items that are an object', ...invalid, body: { ...good, items: { 0: good.items[0] } }, path: 'items' },
  {
    name: '101 items',
    ...invalid,
    body: { ...good, items: Array.from({ length: 101 }, () => good.items[0]) },
    path: 'items',
  },
  { name: 'an unknown field', ...invalid, body: { ...good, discount: 100 } },
  { name: 'a price of its own', ...invalid, body: item({ unitPrice: 1 }), path: 'items.0' },
  {
    name: 'a __proto__',
    ...invalid,
    body: '{"__proto__":{"role":"MANAGER"},"items":[{"sku":"espresso","quantity":1}],"payment":{"method":"counter"}}',
  },
  {
    name: 'a constructor',
    ...invalid,
    body: '{"constructor":{"prototype":{"x":1}},"items":[{"sku":"espresso","quantity":1}],"payment":{"method":"counter"}}',
  },
  { name: 'a note with a null character', ...invalid, body: { ...good, note: 'a\0b' }, path: 'note' },
  { name: 'a note that is too long', ...invalid, body: { ...good, note: 'x'.repeat(1_001) }, path: 'note' },
  {
    name: 'a name that is too long',
    ...invalid,
    body: { ...good, customerName: 'x'.repeat(201) },
    path: 'customerName',
  },
  { name: 'a name with a null character', ...invalid, body: { ...good, customerName: '\0' }, path: 'customerName' },
  { name: 'deep JSON', ...invalid, body: `{"items":${nested(5_000)},"payment":{"method":"counter"}}` },
  { name: 'deeper JSON', ...invalid, body: nested(100_000) },
  {
    name: 'an unknown payment method',
    ...invalid,
    body: { ...good, payment: { method: 'barter' } },
    path: 'payment.method',
  },
  {
    name: 'stripe, which is not set up',
    status: 422,
    code: 'payment_method_unavailable',
    body: { ...good, payment: { method: 'stripe' } },
  },
  {
    name: 'paypal, which is not set up',
    status: 422,
    code: 'payment_method_unavailable',
    body: { ...good, payment: { method: 'paypal' } },
  },
  { name: 'an unknown lane', ...invalid, as: manager, body: { ...good, lane: 'express' }, path: 'lane' },
  { name: 'a lane chosen by a customer', status: 403, code: 'forbidden', body: { ...good, lane: 'vip' } },
  { name: 'a lane chosen by a VIP', status: 403, code: 'forbidden', as: vip, body: { ...good, lane: 'normal' } },
  { name: 'an order of a robot', status: 403, code: 'forbidden', as: robot, body: good },
  { name: 'nobody signed in', status: 401, code: 'unauthenticated', as: null, body: good },
  {
    name: 'a token that is none',
    status: 401,
    code: 'unauthenticated',
    as: null,
    body: good,
    headers: { authorization: 'Bearer nonsense' },
  },
  {
    name: 'a token of SQL',
    status: 401,
    code: 'unauthenticated',
    as: null,
    body: good,
    headers: { authorization: "Bearer ' OR 1=1 --" },
  },
  {
    name: 'an Idempotency-Key of 10 kB',
    ...invalid,
    body: good,
    headers: { 'idempotency-key': 'k'.repeat(10_240) },
    path: 'idempotency-key',
  },
  {
    name: 'an empty Idempotency-Key',
    ...invalid,
    body: good,
    headers: { 'idempotency-key': '' },
    path: 'idempotency-key',
  },
  {
    name: 'an Idempotency-Key with an umlaut',
    ...invalid,
    body: good,
    headers: { 'idempotency-key': 'schl\u00fcssel' },
    path: 'idempotency-key',
  },
].map((one) => ({ method: 'POST', route: '/v1/orders', ...one }));

export const notFound = { status: 404, code: 'order_not_found' };
export const badCalls: BadCall[] = [
  ...['0', '-1', 'abc', '1e30', '1.5', '99999999', '9007199254740993', '%00', "1'--", '1001x', '%20'].flatMap(
    (number): BadCall[] => [
      {
        name: `order ${JSON.stringify(number)}`,
        method: 'GET',
        route: `/v1/orders/${number}`,
        as: manager,
        ...notFound,
      },
      {
        name: `the events of order ${JSON.stringify(number)}`,
        method: 'GET',
        route: `/v1/orders/${number}/events`,
        as: manager,
        ...notFound,
      },
      {
        name: `cancelling order ${JSON.stringify(number)}`,
        method: 'POST',
        route: `/v1/orders/${number}/cancel`,
        as: manager,
        body: {},
        ...notFound,
      },
    ],
  ),
  {
    name: 'retrying an order that is not there',
    method: 'POST',
    route: '/v1/orders/99999999/retry',
    as: manager,
    ...notFound,
  },
  {
    name: 'an order without sign-in',
    method: 'GET',
    route: '/v1/orders/1001',
    as: null,
    status: 401,
    code: 'unauthenticated',
  },
  { name: 'a cursor of letters', method: 'GET', route: '/v1/orders?cursor=abc', ...invalid, path: 'cursor' },
  { name: 'a cursor of SQL', method: 'GET', route: "/v1/orders?cursor=1'--", ...invalid, path: 'cursor' },
  {
    name: 'a cursor that is too long',
    method: 'GET',
    route: `/v1/orders?cursor=${'9'.repeat(30)}`,
    ...invalid,
    path: 'cursor',
  },
  { name: 'limit 0', method: 'GET', route: '/v1/orders?limit=0', ...invalid, path: 'limit' },
  { name: 'limit 1e9', method: 'GET', route: '/v1/orders?limit=1e9', ...invalid, path: 'limit' },
  { name: 'an unknown status', method: 'GET', route: '/v1/orders?status=done', ...invalid, path: 'status' },
  { name: 'an unknown query', method: 'GET', route: '/v1/orders?sort=price', ...invalid },
  {
    name: 'a search with a null character',
    method: 'GET',
    route: '/v1/orders?q=%00',
    as: manager,
    ...invalid,
    path: 'q',
  },
  {
    name: 'a search that is too long',
    method: 'GET',
    route: `/v1/orders?q=${'x'.repeat(300)}`,
    as: manager,
    ...invalid,
    path: 'q',
  },
  { name: 'a route that is not there', method: 'GET', route: '/v1/nothing', status: 404, code: 'route_not_found' },
  { name: 'a method that is not there', method: 'DELETE', route: '/v1/orders', status: 404, code: 'route_not_found' },
  {
    name: 'a method that is not there on an order',
    method: 'PUT',
    route: '/v1/orders/1001',
    status: 404,
    code: 'route_not_found',
    body: {},
  },
  { name: 'a route that is no route', method: 'GET', route: '/v1/orders/%E0%A4%A', as: manager, ...invalid },
  {
    name: 'a way out of the folder',
    method: 'GET',
    route: '/%2e%2e/%2e%2e/etc/passwd',
    status: 404,
    code: 'route_not_found',
  },
  { name: 'adding a bot as a customer', method: 'POST', route: '/v1/bots', status: 403, code: 'forbidden' },
  {
    name: 'removing a bot as a VIP',
    method: 'DELETE',
    route: '/v1/bots/newest',
    as: vip,
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'removing a bot where there is none',
    method: 'DELETE',
    route: '/v1/bots/newest',
    as: manager,
    status: 404,
    code: 'no_bots',
  },
  { name: 'bots without sign-in', method: 'GET', route: '/v1/bots', as: null, status: 401, code: 'unauthenticated' },
  { name: 'retrying as a customer', method: 'POST', route: '/v1/orders/1001/retry', status: 403, code: 'forbidden' },
  {
    name: 'a rebuild without admin',
    method: 'POST',
    route: '/v1/admin/queues/rebuild',
    as: manager,
    status: 401,
    code: 'admin_credentials_invalid',
  },
  {
    name: 'a rebuild with a wrong password',
    method: 'POST',
    route: '/v1/admin/queues/rebuild',
    headers: { authorization: `Basic ${btoa('admin:wrong')}` },
    status: 401,
    code: 'admin_credentials_invalid',
  },
  {
    name: 'an import with a negative price',
    method: 'POST',
    route: '/v1/admin/products',
    headers: adminHeader,
    body: { products: [{ sku: 'x', name: 'X', price: { amountMinor: -1, currency: 'EUR' } }] },
    ...invalid,
    path: 'products.0.price.amountMinor',
  },
  {
    name: 'an import with a null character',
    method: 'POST',
    route: '/v1/admin/products',
    headers: adminHeader,
    body: { products: [{ sku: 'x\0', name: 'X', price: { amountMinor: 1, currency: 'EUR' } }] },
    ...invalid,
    path: 'products.0.sku',
  },
];

import fc from 'fast-check';
import type { Contract, Route } from '../support/contract.ts';
import { anyBreak, breakValue } from './break-value.ts';
import { callers } from './callers.ts';
import { fittingValue, nastyValue, rawPathPart } from './values.ts';

/** A request as it was thought up; placeholders are filled in when it is sent. */
export interface FuzzRequest {
  route: Route;
  method: string;
  caller: (typeof callers)[number];
  params: Record<string, unknown>;
  query: Record<string, unknown>;
  headers: Record<string, string>;
  /** Undefined: none is sent. A text is sent as it is. */
  body: { value: unknown } | { text: string } | undefined;
  contentType: string | null;
}

const json = 'application/json';

/** Requests of every kind to one route: good ones, ones with one thing wrong, and ones with nothing right. */
export function requestsTo(contract: Contract, route: Route): fc.Arbitrary<FuzzRequest> {
  const good = goodRequest(contract, route);
  const kinds: fc.WeightedArbitrary<FuzzRequest>[] = [
    { weight: 5, arbitrary: good },
    {
      weight: 2,
      arbitrary: fc
        .tuple(good, anyHeader)
        .map(([request, headers]) => ({ ...request, headers: { ...request.headers, ...headers } })),
    },
    { weight: 1, arbitrary: fc.tuple(good, anyMethod).map(([request, method]) => ({ ...request, method })) },
  ];
  const { requestBody, parameters = [] } = route.operation;
  if (requestBody)
    kinds.push(
      { weight: 6, arbitrary: fc.tuple(good, anyBreak).map(([request, change]) => withBrokenBody(request, change)) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(good, brokenJson)
          .map(([request, breakText]) => ({ ...request, body: { text: breakText(textOf(request)) } })),
      },
      {
        weight: 2,
        arbitrary: fc.tuple(good, anyContentType).map(([request, contentType]) => ({ ...request, contentType })),
      },
    );
  else if (route.method !== 'GET')
    kinds.push({
      weight: 1,
      arbitrary: fc
        .tuple(good, nastyValue, anyContentType)
        .map(([request, value, contentType]) => ({ ...request, body: { value }, contentType })),
    });
  const named = parameters.filter((parameter) => parameter.in !== 'header');
  if (named.length > 0)
    kinds.push({
      weight: 4,
      arbitrary: fc
        .tuple(
          good,
          fc.constantFrom(...named.map(({ name, in: place }) => ({ name, place })), { name: 'extra', place: 'query' }),
          nastyValue,
          rawPathPart,
          fc.boolean(),
        )
        .map(([request, { name, place }, value, raw, isRaw]) =>
          place === 'path'
            ? { ...request, params: { ...request.params, [name]: isRaw ? raw : value } }
            : { ...request, query: { ...request.query, [name]: value } },
        ),
    });
  return fc.oneof(...kinds);
}

/** As the document wants it; by anybody, unless only those are wanted whom it lets in. */
export function goodRequest(
  { document }: Contract,
  route: Route,
  { byRightCaller = false } = {},
): fc.Arbitrary<FuzzRequest> {
  const { requestBody, parameters = [] } = route.operation;
  const placed = (place: 'path' | 'query' | 'header') => parameters.filter((parameter) => parameter.in === place);
  const values = (place: 'path' | 'query' | 'header') =>
    fc.record(
      Object.fromEntries(placed(place).map(({ name, schema }) => [name, fittingValue(document, schema, name)])),
      {
        requiredKeys: placed(place)
          .filter(({ required }) => required)
          .map(({ name }) => name),
      },
    );
  const schema = requestBody?.content[json]?.schema;
  const body = schema ? fittingValue(document, schema).map((value) => ({ value })) : fc.constant(undefined);
  return fc
    .record({
      caller: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...rightCallers(route)) },
        ...(byRightCaller ? [] : [{ weight: 2, arbitrary: fc.constantFrom(...callers) }]),
      ),
      params: values('path'),
      query: values('query'),
      headers: values('header'),
      body: requestBody?.required === false ? fc.option(body, { nil: undefined }) : body,
    })
    .map((request) => ({
      ...request,
      headers: request.headers as Record<string, string>,
      route,
      method: route.method,
      contentType: request.body === undefined ? null : json,
    }));
}

/** Those whom the document lets in, so that most requests get past the door. */
function rightCallers({ operation: { security = [], description = '' } }: Route): (typeof callers)[number][] {
  if (security.length === 0) return ['nobody', 'NORMAL', 'MANAGER'];
  const named = /For the roles? ([A-Z, ]+)\./.exec(description)?.[1]?.split(', ');
  const signedIn = ['NORMAL', 'VIP', 'MANAGER', 'BOT'] as const;
  if (security.some((one) => 'basic' in one)) return security.length > 1 ? ['admin', 'MANAGER'] : ['admin'];
  return named ? signedIn.filter((role) => named.includes(role)) : [...signedIn];
}

function withBrokenBody(request: FuzzRequest, change: Parameters<typeof breakValue>[1]): FuzzRequest {
  if (!request.body || 'text' in request.body) return request;
  return { ...request, body: { value: breakValue(request.body.value, change) } };
}

const textOf = ({ body }: FuzzRequest) => (body && 'value' in body ? (JSON.stringify(body.value) ?? '') : '{}');

const brokenJson: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.nat({ max: 60 }).map((end) => (text: string) => text.slice(0, end)),
  fc.nat({ max: 60 }).map((at) => (text: string) => `${text.slice(0, at)}}${text.slice(at)}`),
  fc
    .constantFrom(
      '',
      ' ',
      'null',
      'undefined',
      '[]',
      '{}',
      '0',
      '"x"',
      'NaN',
      '{"a":1e400}',
      '\u{feff}{}',
      '{"__proto__":{"role":"MANAGER"}}',
    )
    .map((text) => () => text),
  fc.constantFrom(100, 10_000, 100_000).map((depth) => () => '['.repeat(depth) + ']'.repeat(depth)),
  fc.constant((text: string) => text.replace('}', ',"__proto__":{"isAdmin":true}}')),
  fc.constant((text: string) => text.replace('{', '{"items":[],"items":[],')),
  fc.constant((text: string) => text.replaceAll('"', "'")),
);

const anyContentType = fc.constantFrom(
  ...[
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/json',
  ],
  ...[
    'application/json; charset=latin1',
    'application/json;',
    'application/jsonp',
    'x',
    '/',
    'application/problem+json',
    null,
  ],
);

const anyMethod = fc.constantFrom(
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
);

const anyHeader: fc.Arbitrary<Record<string, string>> = fc.oneof(
  fc
    .constantFrom('', ' ', 'x'.repeat(256), 'x'.repeat(5_000), 'schlüssel', 'a\tb', '__proto__', '"')
    .map((value): Record<string, string> => ({ 'Idempotency-Key': value })),
  fc
    .constantFrom(
      'Bearer',
      'Bearer ',
      'Bearer x',
      'Bearer a.b.c',
      'Basic',
      'Basic !',
      'Basic Og==',
      'Digest x',
      `Bearer ${'x'.repeat(7_000)}`,
      'Bearer eyJhbGciOiJub25lIn0.e30.',
    )
    .map((authorization) => ({ authorization })),
  fc
    .constantFrom('', '0-0', 'x', `${'9'.repeat(30)}-1`, '1-1\u{ff}')
    .map((value): Record<string, string> => ({ 'Last-Event-ID': value })),
  fc.constantFrom('gzip', 'identity', 'br').map((value): Record<string, string> => ({ 'content-encoding': value })),
  fc.constantFrom('text/html', '*/*', 'x', '').map((accept) => ({ accept })),
  fc.constantFrom('DELETE', 'PUT').map((value): Record<string, string> => ({ 'x-http-method-override': value })),
  fc.constantFrom('*', '"x"').map((value): Record<string, string> => ({ 'if-none-match': value })),
  fc.constantFrom('null', 'https://example.com', 'x').map((origin) => ({ origin })),
  fc.constantFrom('x', 'a b', 'x'.repeat(100)).map((value): Record<string, string> => ({ 'x-request-id': value })),
  fc.constantFrom('bytes=0-', 'x').map((range) => ({ range })),
  fc
    .constantFrom('http://elsewhere', '::1', 'x y')
    .map((value): Record<string, string> => ({ 'x-forwarded-host': value })),
);

import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import { permissions } from '../../domain/permissions.ts';
import { roles } from '../../domain/user.ts';
import { isProbe } from '../probes.ts';
import { statusOf } from '../problem.ts';

/** Codes of faults that never reach an operation. */
const statusOfFault = {
  body_too_large: 413,
  expectation_unmet: 417,
  internal_error: 500,
  media_type_unsupported: 415,
  route_not_found: 404,
  url_too_long: 414,
} as const;

/** What is told apart here by its status alone: on the wire they are one code. */
const wireCodeOf: Partial<Record<ProblemCode, ErrorCode>> = {
  expectation_unmet: 'input_invalid',
  url_too_long: 'input_invalid',
};
const wireCode = (code: ProblemCode): string => wireCodeOf[code] ?? code;

export type ProblemCode = ErrorCode | keyof typeof statusOfFault;

/** In the document by its name in zod's registry: answers refer to it. */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: z.string().describe('Stable: act on this one'),
    detail: z.string().describe('For people; it may change'),
    errors: z
      .array(z.object({ path: z.string().describe('`items.0.quantity`'), message: z.string() }))
      .optional()
      .describe('With `input_invalid`: each fault and its place in the input'),
  })
  .meta({ id: 'Problem', description: 'A fault by RFC 9457.' });

const texts: Record<ProblemCode, string> = {
  admin_credentials_invalid: 'This call takes the name and password of the admin, by Basic auth.',
  attempt_superseded: 'This attempt is not yours, or not any more: let go of the order.',
  backup_not_found: 'There is no such backup.',
  body_too_large: 'The body is larger than this call takes.',
  credentials_invalid: 'There is no account with this e-mail and password.',
  email_taken: 'There is an account with this e-mail already.',
  expectation_unmet: 'Of the header `Expect`, only `100-continue` can be met.',
  forbidden: 'Your role does not allow this; or the current password is wrong; or another page sent this.',
  idempotency_key_reused: 'This Idempotency-Key was used for another request.',
  input_invalid: 'The input does not have the form that this call takes; `errors` says where.',
  intake_overloaded: 'Too many orders are waiting to be written.',
  internal_error: 'Something went wrong on our side.',
  last_manager: 'This is the last manager; make somebody else one first.',
  link_invalid: 'This address has ended, or was changed.',
  media_type_unsupported: 'A body is sent as application/json.',
  no_bots: 'There is no bot to remove.',
  order_not_found: 'There is no such order, or it is not yours to see.',
  order_transition_refused: 'The order is in a status that does not allow this.',
  payment_method_unavailable: 'This way to pay is not set up here, or cannot take this amount.',
  product_unavailable: 'A product is not available now.',
  product_unknown: 'There is no such product.',
  quarantine_decided: 'Somebody has decided about this case already.',
  quarantine_not_found: 'There is no such case in quarantine.',
  quarantine_not_releasable: 'What came cannot be accepted as it is; the details say why.',
  rate_limited: 'Too many requests.',
  receipt_not_found: 'Nothing of this order was captured online, so it has no receipt.',
  refresh_token_reused: 'This refresh token was used before, so its session has ended.',
  refund_exceeds_captured: 'So much was not captured, or was given back already.',
  route_not_found: 'A part of the path is longer than this server takes.',
  service_unavailable: 'A part of the engine cannot be reached, or the answer took too long.',
  signature_invalid: 'The signature does not fit this body and these headers.',
  too_many_attempts: 'Too many failed sign-ins; `Retry-After` says how long to wait.',
  unauthenticated: 'No token was sent, or it is not valid any more.',
  url_too_long: 'The URL, or a part of its path, is longer than this server takes.',
  user_not_found: 'There is no such account.',
};

/** Every code that a route can answer with, by status: its own, and those that its access and its input bring. */
export function problemsOf(route: RouteOptions): Map<number, ProblemCode[]> {
  const { access = 'public', problems = [] } = route.config ?? {};
  const codes = new Set<ProblemCode>(problems);
  const add = (...more: ProblemCode[]) => more.forEach((code) => void codes.add(code));

  const isRead = [route.method].flat().every((method) => method === 'GET' || method === 'HEAD');
  add('input_invalid', 'url_too_long', 'expectation_unmet'); // `input_invalid`: a header that stands there twice, if nothing else
  if (!isRead) add('body_too_large', 'media_type_unsupported');
  if (route.url.includes(':')) add('route_not_found');

  if (access === 'admin' || access === 'admin or manager') {
    add('admin_credentials_invalid', 'too_many_attempts');
    if (!isRead) add('forbidden'); // sent by another page
  }
  if (access === 'admin or manager') add('unauthenticated', 'forbidden');
  if (access in permissions) {
    add('unauthenticated');
    if (permissions[access as keyof typeof permissions].length < roles.length) add('forbidden');
  }
  if (!isProbe(route.url)) add('rate_limited', 'internal_error', 'service_unavailable');
  return Map.groupBy([...codes].sort(), (code) =>
    code in statusOf ? statusOf[code as ErrorCode] : statusOfFault[code as keyof typeof statusOfFault],
  );
}

/** One answer of problems, as the document has it. */
export function problemAnswer(status: number, codes: readonly ProblemCode[]) {
  return {
    description: codes.map((code) => `\`${wireCode(code)}\`: ${texts[code]}`).join('\n\n'),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { type: 'object', properties: { status: { const: status }, code: { enum: codes.map(wireCode) } } },
          ],
        },
      },
    },
  };
}

/** A name of its own for each set of codes, so that routes share it: `OrderNotFoundOrRouteNotFound`. */
export const problemAnswerName = (codes: readonly ProblemCode[]): string =>
  codes.map((code) => code.replaceAll(/(^|_)(.)/g, (_all, _bar, letter: string) => letter.toUpperCase())).join('Or');

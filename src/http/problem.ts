import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { isQueueStoreAway } from '../../queues/backend.ts';
import { isConnectionFault } from '../db/fault.ts';
import {
  EngineError,
  type ErrorCode,
  type InputFault,
  InputInvalidError,
  ServiceUnavailableError,
} from '../domain/errors.ts';
import { RequestFormError } from './request-form.ts';

/** A new code does not compile without its status. */
export const statusOf: Record<ErrorCode, number> = {
  admin_credentials_invalid: 401,
  attempt_superseded: 409,
  backup_not_found: 404,
  credentials_invalid: 401,
  email_taken: 409,
  forbidden: 403,
  idempotency_key_reused: 422,
  input_invalid: 400,
  intake_overloaded: 503,
  last_manager: 409,
  link_invalid: 403,
  no_bots: 404,
  order_not_found: 404,
  order_transition_refused: 409,
  payment_method_unavailable: 422,
  product_unavailable: 422,
  product_unknown: 422,
  quarantine_decided: 409,
  quarantine_not_found: 404,
  quarantine_not_releasable: 409,
  rate_limited: 429,
  receipt_not_found: 404,
  refresh_token_reused: 401,
  refund_exceeds_captured: 409,
  service_unavailable: 503,
  signature_invalid: 400,
  too_many_attempts: 429,
  unauthenticated: 401,
  user_not_found: 404,
};

/** What goes wrong before a route is reached: Fastify's own code → ours. */
const requestFaults: Record<string, { code: string; status: number; detail: string }> = {
  FST_ERR_HANDLER_TIMEOUT: {
    code: 'service_unavailable',
    status: 503,
    detail: 'The answer took too long. Try again in a moment.',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'body_too_large',
    status: 413,
    detail: 'The body is larger than this call takes.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'media_type_unsupported',
    status: 415,
    detail: 'Send the body as application/json.',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'input_invalid',
    status: 414,
    detail: 'A part of the path is longer than this call takes.',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'input_invalid', status: 400, detail: 'The body is empty.' },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'input_invalid', status: 400, detail: 'The body is not JSON.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'input_invalid',
    status: 400,
    detail: 'The body is not as long as its header says.',
  },
};

const defaultRetryAfterSeconds = 2;

interface Problem {
  status: number;
  code: string;
  detail: string;
  errors?: InputFault[];
}

/** Every fault as RFC 9457 problem+json. A 5xx says nothing of our inside; the log does. */
export async function sendProblem(
  thrown: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const error = isOfRequest(thrown) ? thrown : unavailableOf(thrown);
  const problem = problemOf(error);
  if (problem.status >= 500) request.log.error({ err: error }, 'request failed');
  if (problem.status === 503 || problem.status === 429)
    void reply.header(
      'retry-after',
      (error instanceof EngineError && error.retryAfterSeconds) || defaultRetryAfterSeconds,
    );
  if (problem.status === 401)
    void reply.header(
      'www-authenticate',
      problem.code === 'admin_credentials_invalid'
        ? 'Basic realm="twolane", charset="UTF-8"'
        : 'Bearer realm="twolane"',
    );
  await send(reply, problem);
}

/** What a part that is away throws, as the 503 that it is. */
function unavailableOf(thrown: Error): Error {
  if (isQueueStoreAway(thrown)) return new ServiceUnavailableError('The queue store', thrown);
  return isConnectionFault(thrown) ? new ServiceUnavailableError('The database', thrown) : thrown;
}

export async function sendRouteNotFound(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  await send(reply, {
    status: 404,
    code: 'route_not_found',
    detail: `There is no ${request.method} ${request.url.split('?')[0]}.`,
  });
}

function send(reply: FastifyReply, problem: Problem) {
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(bodyOf(problem));
}

function bodyOf({ status, code, detail, errors }: Problem) {
  const title = code.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());
  return { type: 'about:blank', title, status, code, detail, ...(errors && { errors }) };
}

function problemOf(error: FastifyError | Error): Problem {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map((fault) => ({
      path: fault.instancePath.replace(/^\//, '').replaceAll('/', '.'),
      message: fault.message ?? 'is not valid',
    }));
    return {
      status: 400,
      code: 'input_invalid',
      detail: 'The input does not have the form that this call takes.',
      errors,
    };
  }
  if (error instanceof InputInvalidError)
    return { status: 400, code: error.code, detail: error.message, errors: error.faults };
  if (error instanceof EngineError) return { status: statusOf[error.code], code: error.code, detail: error.message };
  const fault = requestFaults[(error as FastifyError).code ?? ''];
  if (fault) return fault;
  const { statusCode = 500 } = error as FastifyError;
  if (isOfRequest(error) && statusCode < 500)
    return { status: statusCode, code: 'input_invalid', detail: error.message };
  return { status: 500, code: 'internal_error', detail: 'Something went wrong on our side.' };
}

/** Ours, or Fastify's words about a request, or what says of itself that it may be shown (files). Others tell of our inside. */
function isOfRequest(error: Error & { code?: unknown; expose?: unknown }): boolean {
  if (error instanceof EngineError || error instanceof RequestFormError) return true;
  return error.expose === true || /^FST_/.test(String(error.code));
}

import type { RouteOptions } from 'fastify';
import { permissions } from '../../domain/permissions.ts';
import { roles } from '../../domain/user.ts';
import { examples } from './examples.ts';
import { type AnswerHeader, answerHeaders, headersOfStatus, requestHeaders } from './headers.ts';
import { problemAnswer, problemAnswerName, problemsOf } from './problems.ts';
import type { AnswerNote } from './route-document.ts';

type Json = { [key: string]: unknown };
type Content = Record<string, { schema?: Json; example?: unknown }>;

interface Answer {
  description: string;
  headers?: Json;
  content?: Content;
}

export interface Operation {
  operationId: string;
  tags?: string[];
  summary?: string;
  description?: string;
  security?: Record<string, string[]>[];
  parameters?: Json[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, Answer | { $ref: string }>;
}

/** An operation with what its route's config says of it, and the problems of any such route; `shared` collects their answers. */
export function describeOperation(made: Operation, route: RouteOptions, shared: Json): Operation {
  const { access = 'public', answers = {}, requestHeaders: heeded = [] } = route.config ?? {};
  const { operationId, tags, summary, requestBody } = made;
  const example = examples[operationId] ?? {};
  const description = [made.description, allowedText(access)].filter(Boolean).join('\n\n');
  const parameters = [
    ...(made.parameters ?? []),
    ...heeded.map((name) => ({ in: 'header', name, required: false, ...requestHeaders[name] })),
  ];

  const responses: Operation['responses'] = {};
  for (const [status, note] of Object.entries(answers))
    responses[status] = describeAnswer(note, schemaOf(made.responses[status]), example.answers?.[Number(status)]);
  for (const [status, codes] of problemsOf(route)) {
    const name = problemAnswerName(codes);
    shared[name] = { ...problemAnswer(status, codes), ...headersNamed(headersOfStatus[status]) };
    responses[status] = { $ref: `#/components/responses/${name}` };
  }
  return {
    operationId,
    ...(tags && { tags }),
    ...(summary && { summary }),
    ...(description && { description }),
    security: securityOf(access),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody: describeBody(requestBody, example.body) }),
    responses,
  };
}

function describeAnswer(note: AnswerNote, schema: Json | undefined, example: unknown): Answer {
  const said: Exclude<AnswerNote, string> = typeof note === 'string' ? { description: note } : note;
  const contentType = said.contentType ?? (schema ? 'application/json' : undefined);
  return {
    description: said.description,
    ...headersNamed(said.headers),
    ...(contentType && {
      content: {
        [contentType]: { schema: schema ?? { type: 'string' }, ...(example !== undefined && { example }) },
      },
    }),
  };
}

/** A body that may be `null` may be left out. */
function describeBody({ content }: { content: Content }, example: unknown) {
  const mayBeNull = ({ schema }: { schema?: Json }) =>
    Array.isArray(schema?.anyOf) && schema.anyOf.some(({ type }: Json) => type === 'null');
  const media = Object.entries(content).map(([type, form]) => [
    type,
    { ...form, ...(example !== undefined && { example }) },
  ]);
  return { required: !Object.values(content).some(mayBeNull), content: Object.fromEntries(media) };
}

function securityOf(access: string): Record<string, string[]>[] {
  if (access === 'public') return [];
  if (access === 'admin') return [{ basic: [] }];
  if (access === 'admin or manager') return [{ basic: [] }, { bearer: [] }];
  return [{ bearer: [] }];
}

function allowedText(access: string): string | null {
  if (access === 'public') return null;
  if (access === 'admin') return 'For the admin.';
  if (access === 'admin or manager') return 'For the admin, and for the role MANAGER.';
  const allowed = permissions[access as keyof typeof permissions]; // every other access is a permission
  if (allowed.length === roles.length) return 'For every account.';
  return `For the role${allowed.length > 1 ? 's' : ''} ${allowed.join(', ')}.`;
}

const headersNamed = (names: readonly AnswerHeader[] | undefined) =>
  names && { headers: Object.fromEntries(names.map((name) => [name, answerHeaders[name]])) };

const schemaOf = (answer: Operation['responses'][string] | undefined) =>
  answer && 'content' in answer ? answer.content?.['application/json']?.schema : undefined;

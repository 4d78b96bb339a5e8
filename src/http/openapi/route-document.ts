import type { ErrorCode } from '../../domain/errors.ts';
import type { AnswerHeader, RequestHeader } from './headers.ts';

/** What a route says of one of its answers: a sentence, or more where there is more. */
export type AnswerNote =
  | string
  | {
      description: string;
      headers?: readonly AnswerHeader[];
      /** Where it is not JSON. */
      contentType?: string;
    };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The codes of problems that this route alone has; the document adds those that its access and its input bring. */
    problems?: readonly ErrorCode[];
    /** What each answer means, by its status; answers without a body stand here only. */
    answers?: Readonly<Record<number, AnswerNote>>;
    /** Headers that it heeds. */
    requestHeaders?: readonly RequestHeader[];
  }
}

/** Headers that a call may send. */
export const requestHeaders = {
  'Idempotency-Key': {
    description:
      'Names this order, so that a repeat after a lost answer cannot order twice: 1 to 255 printable ASCII characters.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]+$' }, // an example would be used twice
  },
  'Last-Event-ID': {
    description: 'The id of the last event that arrived: the stream goes on after it.',
    schema: { type: 'string' },
  },
} as const;
export type RequestHeader = keyof typeof requestHeaders;

/** Headers that an answer brings. */
export const answerHeaders = {
  Location: { description: 'Where the new thing is found.', required: true, schema: { type: 'string' } },
  'Idempotent-Replayed': {
    description: 'The order was placed by an earlier request with this key.',
    required: true,
    schema: { type: 'string', const: 'true' },
  },
  'Retry-After': {
    description: 'How many seconds to wait before another try.',
    required: true,
    schema: { type: 'integer', minimum: 1 },
  },
  'WWW-Authenticate': {
    description: 'How to sign in: `Bearer` or `Basic`.',
    required: true,
    schema: { type: 'string', pattern: '^(Bearer|Basic) realm="twolane"' },
  },
} as const;
export type AnswerHeader = keyof typeof answerHeaders;

/** Headers that come with a status, whatever the route. */
export const headersOfStatus: Readonly<Record<number, readonly AnswerHeader[]>> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

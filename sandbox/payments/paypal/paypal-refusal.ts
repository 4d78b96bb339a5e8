/** What PayPal says of a refusal beside its name; one sentence per issue, for people who read logs. */
const descriptions: Readonly<Record<string, string>> = {
  AUTHORIZATION_ALREADY_CAPTURED: 'The authorization has already been captured.',
  AUTHORIZATION_DENIED: 'A denied authorization cannot be captured.',
  AUTHORIZATION_EXPIRED: 'An expired authorization cannot be captured.',
  AUTHORIZATION_VOIDED: 'A voided authorization cannot be captured or reauthorized.',
  AUTHORIZATION_AMOUNT_EXCEEDED: 'The amount is more than what was authorized.',
  AUTH_CAPTURE_CURRENCY_MISMATCH: 'The capture has another currency than the authorization.',
  AUTH_CURRENCY_MISMATCH: 'The reauthorization has another currency than the authorization.',
  ACTION_DOES_NOT_MATCH_INTENT: 'The order was created with another intent.',
  CANNOT_BE_VOIDED: 'A reauthorization cannot be voided. Void the authorization that it renewed.',
  CANNOT_BE_ZERO_OR_NEGATIVE: 'The value must be greater than zero.',
  CAPTURE_FULLY_REFUNDED: 'The capture has already been fully refunded.',
  CURRENCY_NOT_SUPPORTED: 'PayPal does not take this currency.',
  DECIMALS_NOT_SUPPORTED: 'The currency does not support decimals.',
  DECIMAL_PRECISION: 'The value may have two decimal places at most.',
  DUPLICATE_INVOICE_ID: 'The invoice id has been used before.',
  DUPLICATE_REQUEST_ID: 'The PayPal-Request-Id has been used before, with another request.',
  INSTRUMENT_DECLINED: "The instrument was declined by the processor or bank, or can't be used for this payment.",
  INVALID_ACCOUNT_STATUS: 'Account validations failed for the user.',
  INVALID_ARRAY_LENGTH: 'Exactly one purchase unit is taken here.',
  INVALID_CURRENCY_CODE: 'The currency must be a three-character ISO 4217 code.',
  INVALID_PARAMETER_SYNTAX: 'The value of a field does not have the expected form.',
  INVALID_PARAMETER_VALUE: 'The value of a field is invalid.',
  INVALID_RESOURCE_ID: 'There is no resource with this id.',
  INVALID_STRING_MAX_LENGTH: 'The value of a field is too long.',
  MALFORMED_REQUEST_JSON: 'The request JSON is not well formed.',
  MAX_CAPTURE_AMOUNT_EXCEEDED: 'The capture amount exceeds the allowable limit.',
  MISSING_REQUIRED_PARAMETER: 'A required field is missing.',
  ORDER_ALREADY_AUTHORIZED: 'The order has already been authorized.',
  ORDER_ALREADY_CAPTURED: 'The order has already been captured.',
  ORDER_NOT_APPROVED: 'The payer has not approved the order yet.',
  PAYPAL_REQUEST_ID_REQUIRED: 'A PayPal-Request-Id is required with a payment_source.',
  PENDING_CAPTURE: 'A capture that is pending cannot be refunded.',
  PREVIOUSLY_CAPTURED: 'The authorization has been captured and cannot be voided.',
  PREVIOUSLY_VOIDED: 'The authorization has been voided before.',
  PREVIOUS_REQUEST_IN_PROGRESS: 'An earlier request on this resource is still in progress.',
  REAUTHORIZATION_NOT_SUPPORTED: 'What is itself a reauthorization cannot be reauthorized.',
  REAUTHORIZATION_TOO_SOON: 'A reauthorization is allowed once, from day 4 to day 29 of the original authorization.',
  REFUND_AMOUNT_EXCEEDED: 'The refund must not be more than what is left of the capture.',
  REFUND_CAPTURE_CURRENCY_MISMATCH: 'The refund has another currency than the capture.',
  REFUND_NOT_ALLOWED: 'The capture cannot be refunded.',
};

const messages: Readonly<Record<string, string>> = {
  INVALID_REQUEST: 'Request is not well-formed, syntactically incorrect, or violates schema.',
  AUTHENTICATION_FAILURE:
    'Authentication failed due to missing authorization header, or invalid authentication credentials.',
  NOT_AUTHORIZED: 'Authorization failed due to insufficient permissions.',
  RESOURCE_NOT_FOUND: 'The specified resource does not exist.',
  RESOURCE_CONFLICT: 'The server has detected a conflict while processing this request.',
  UNPROCESSABLE_ENTITY:
    'The requested action could not be performed, semantically incorrect, or failed business validation.',
  RATE_LIMIT_REACHED: 'Too many requests. Blocked due to rate limiting.',
  INTERNAL_SERVER_ERROR: 'An internal server error has occurred.',
  SERVICE_UNAVAILABLE: 'Service Unavailable.',
};

export type ErrorLink = { href: string; rel: string; method: string };
export type ErrorBody = {
  name: string;
  message: string;
  debug_id: string;
  details?: { issue: string; description: string; field?: string; location?: string }[];
  links: ErrorLink[];
};

/** A request that PayPal answers with an error: thrown by the rules, put on the wire at the edge. */
export class PayPalRefusal extends Error {
  readonly status: number;
  /** The `name` of the envelope, `UNPROCESSABLE_ENTITY`. */
  readonly kind: string;
  readonly issue: string | null;
  readonly field: string | null;
  readonly links: ErrorLink[];

  constructor(
    status: number,
    kind: string,
    issue: string | null,
    field: string | null = null,
    links: ErrorLink[] = [],
  ) {
    super(issue ?? kind);
    this.name = 'PayPalRefusal';
    this.status = status;
    this.kind = kind;
    this.issue = issue;
    this.field = field;
    this.links = links;
  }

  static invalid(issue: string, field: string): PayPalRefusal {
    return new PayPalRefusal(400, 'INVALID_REQUEST', issue, field);
  }

  static unprocessable(issue: string, field: string | null = null, links: ErrorLink[] = []): PayPalRefusal {
    return new PayPalRefusal(422, 'UNPROCESSABLE_ENTITY', issue, field, links);
  }

  static notFound(): PayPalRefusal {
    return new PayPalRefusal(404, 'RESOURCE_NOT_FOUND', 'INVALID_RESOURCE_ID');
  }
}

export function errorBody(
  { kind, issue, field, links }: Omit<PayPalRefusal, keyof Error | 'status'>,
  debugId: string,
): ErrorBody {
  return {
    name: kind,
    ...(issue !== null && {
      details: [
        { issue, description: descriptions[issue] ?? issue, ...(field !== null && { field, location: 'body' }) },
      ],
    }),
    message: messages[kind] ?? kind,
    debug_id: debugId,
    links,
  };
}

import type { OrderStatus } from './order-status.ts';

/** Public and never renamed: clients act on them. */
export type ErrorCode =
  | 'admin_credentials_invalid'
  | 'attempt_superseded'
  | 'forbidden'
  | 'idempotency_key_reused'
  | 'input_invalid'
  | 'intake_overloaded'
  | 'no_bots'
  | 'order_not_found'
  | 'order_transition_refused'
  | 'payment_method_unavailable'
  | 'product_unavailable'
  | 'product_unknown'
  | 'service_unavailable'
  | 'unauthenticated';

/** A failure that its caller can act on. */
export class EngineError extends Error {
  readonly code: ErrorCode;
  /** Worth another try without a change by the caller. */
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions & { retryAfterSeconds?: number } = {}) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.retryable = options.retryAfterSeconds !== undefined;
  }
}

export interface InputFault {
  /** Where in the input, `items.0.quantity`. */
  path: string;
  message: string;
}

export class InputInvalidError extends EngineError {
  readonly faults: InputFault[];

  constructor(faults: InputFault[]) {
    super('input_invalid', 'The input does not have the form that this call takes.');
    this.faults = faults;
  }
}

export class UnauthenticatedError extends EngineError {
  constructor(message = 'Sign in first.') {
    super('unauthenticated', message);
  }
}

export class ForbiddenError extends EngineError {
  constructor(message = 'Your role does not allow this.') {
    super('forbidden', message);
  }
}

export class OrderNotFoundError extends EngineError {
  constructor(orderNumber: number) {
    super(
      'order_not_found',
      `There is no ${orderNumber > 0 ? `order ${orderNumber}` : 'such order'} that you may see.`,
    );
  }
}

export class OrderTransitionRefusedError extends EngineError {
  constructor(orderNumber: number, from: OrderStatus, to: OrderStatus) {
    super('order_transition_refused', `Order ${orderNumber} is ${from} and cannot become ${to}.`);
  }
}

export class ProductUnknownError extends EngineError {
  constructor(sku: string) {
    super('product_unknown', `There is no product ${JSON.stringify(sku)}.`);
  }
}

export class ProductUnavailableError extends EngineError {
  constructor(sku: string) {
    super('product_unavailable', `${JSON.stringify(sku)} is not available now.`);
  }
}

export class PaymentMethodUnavailableError extends EngineError {
  constructor(method: string) {
    super('payment_method_unavailable', `Payment by ${method} is not set up here.`);
  }
}

export class IdempotencyKeyReusedError extends EngineError {
  constructor() {
    super('idempotency_key_reused', 'This Idempotency-Key was used for another request.');
  }
}

export class IntakeOverloadedError extends EngineError {
  constructor(waiting: number) {
    super('intake_overloaded', `${waiting} orders are waiting to be written. Try again in a moment.`, {
      retryAfterSeconds: 1,
    });
  }
}

export class ServiceUnavailableError extends EngineError {
  constructor(what: string, cause?: unknown) {
    super('service_unavailable', `${what} cannot be reached. Try again in a moment.`, { cause, retryAfterSeconds: 2 });
  }
}

export class NoBotsError extends EngineError {
  constructor() {
    super('no_bots', 'There is no bot to remove.');
  }
}

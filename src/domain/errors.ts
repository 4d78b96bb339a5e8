import { decimalText, minorUnitDigits } from './currency.ts';
import type { Money } from './money.ts';
import type { OrderStatus } from './order-status.ts';

/** Public and never renamed: clients act on them. */
export type ErrorCode =
  | 'admin_credentials_invalid'
  | 'attempt_superseded'
  | 'backup_not_found'
  | 'credentials_invalid'
  | 'email_taken'
  | 'forbidden'
  | 'idempotency_key_reused'
  | 'input_invalid'
  | 'intake_overloaded'
  | 'last_manager'
  | 'link_invalid'
  | 'no_bots'
  | 'order_not_found'
  | 'order_transition_refused'
  | 'payment_method_unavailable'
  | 'product_unavailable'
  | 'product_unknown'
  | 'quarantine_decided'
  | 'quarantine_not_found'
  | 'quarantine_not_releasable'
  | 'rate_limited'
  | 'receipt_not_found'
  | 'refresh_token_reused'
  | 'refund_exceeds_captured'
  | 'service_unavailable'
  | 'signature_invalid'
  | 'too_many_attempts'
  | 'unauthenticated'
  | 'user_not_found';

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
  constructor(method: string, reason?: string) {
    super(
      'payment_method_unavailable',
      reason ? `This cannot be paid by ${method}: ${reason}` : `Payment by ${method} is not set up here.`,
    );
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

export class AttemptSupersededError extends EngineError {
  constructor(orderNumber: number, attempt: number) {
    super(
      'attempt_superseded',
      `Attempt ${attempt} of order ${orderNumber} is not yours, or not any more: let go of it.`,
    );
  }
}

export class CredentialsInvalidError extends EngineError {
  constructor() {
    super('credentials_invalid', 'There is no account with this e-mail and password.');
  }
}

export class EmailTakenError extends EngineError {
  constructor() {
    super('email_taken', 'There is an account with this e-mail already.');
  }
}

export class LastManagerError extends EngineError {
  constructor() {
    super('last_manager', 'This is the last manager. Make somebody else a manager first.');
  }
}

export class RefreshTokenReusedError extends EngineError {
  constructor() {
    super('refresh_token_reused', 'This refresh token was used before, so its session has ended. Sign in again.');
  }
}

export class RefundExceedsCapturedError extends EngineError {
  /** `left`: what may still be given back, or why there is nothing of it. */
  constructor(orderNumber: number, left: Money | 'counter' | 'not_captured') {
    super('refund_exceeds_captured', whyNotRefundable(orderNumber, left));
  }
}

function whyNotRefundable(orderNumber: number, left: Money | 'counter' | 'not_captured'): string {
  if (left === 'counter') return `Order ${orderNumber} was paid at the counter: it is given back there.`;
  if (left === 'not_captured')
    return `Nothing of order ${orderNumber} was captured, so there is nothing to give back. To let a hold go, cancel the order.`;
  if (left.amountMinor === 0) return `All that was captured of order ${orderNumber} was given back already.`;
  const amount = `${decimalText(left.amountMinor, minorUnitDigits(left.currency))} ${left.currency}`;
  return `Of order ${orderNumber} no more than ${amount} can be given back.`;
}

export class TooManyAttemptsError extends EngineError {
  constructor(retryAfterSeconds: number) {
    super('too_many_attempts', `Too many failed sign-ins. Try again in ${retryAfterSeconds} s.`, { retryAfterSeconds });
  }
}

export class UserNotFoundError extends EngineError {
  constructor() {
    super('user_not_found', 'There is no such account.');
  }
}

export class QuarantineNotFoundError extends EngineError {
  constructor() {
    super('quarantine_not_found', 'There is no such case in quarantine.');
  }
}

export class QuarantineDecidedError extends EngineError {
  constructor(state: string) {
    super('quarantine_decided', `This case has been ${state} already.`);
  }
}

export class QuarantineNotReleasableError extends EngineError {
  constructor(reason: string) {
    super('quarantine_not_releasable', reason);
  }
}

export class WebhookSignatureError extends EngineError {
  constructor(cause?: unknown) {
    super('signature_invalid', 'The signature does not fit this body and these headers.', { cause });
  }
}

export class BackupNotFoundError extends EngineError {
  constructor() {
    super('backup_not_found', 'There is no such backup.');
  }
}

export class ReceiptNotFoundError extends EngineError {
  constructor(orderNumber: number) {
    super('receipt_not_found', `Order ${orderNumber} has no receipt: nothing of it was captured online.`);
  }
}

/** An address with a signature: a receipt's, or that of who wants no more mail. */
export class LinkInvalidError extends EngineError {
  readonly reason: 'ended' | 'wrong';

  constructor(reason: 'ended' | 'wrong') {
    super(
      'link_invalid',
      reason === 'ended' ? 'This link has ended. Ask for a new one.' : 'This link is not one of ours, or was changed.',
    );
    this.reason = reason;
  }
}

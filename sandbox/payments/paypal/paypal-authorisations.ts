import { dayMs, type PayPalAccount, paymentsOf } from './paypal-account.ts';
import { readAmount } from './paypal-amounts.ts';
import { bookCapture } from './paypal-captures.ts';
import { fieldsOf, textOf } from './paypal-fields.ts';
import type { PayPalAuthorisation, PayPalCapture } from './paypal-objects.ts';
import { PayPalRefusal } from './paypal-refusal.ts';

/** So long PayPal stands by an authorisation. After that it can be renewed once, within its 29 days. */
export const honourMs = 3 * dayMs;

/** Judged now: one whose 29 days are over reads as voided. */
export function getAuthorisation(account: PayPalAccount, authorisationId: string): PayPalAuthorisation {
  const authorisation = account.objects.authorisations.get(authorisationId);
  if (!authorisation) throw PayPalRefusal.notFound();
  expireIfDue(account, authorisation);
  return authorisation;
}

export function expireIfDue(account: PayPalAccount, authorisation: PayPalAuthorisation): void {
  if (!isHeld(authorisation) || account.nowMs() < authorisation.expiresAt) return;
  const hold = heldTogether(account, authorisation);
  for (const each of hold) each.expired = true;
  release(account, hold, 'expired');
}

export function captureAuthorisation(account: PayPalAccount, authorisationId: string, body: unknown): PayPalCapture {
  const authorisation = getAuthorisation(account, authorisationId);
  const { amount: wanted, final_capture: final, invoice_id: invoice } = fieldsOf(body);
  const amount = wanted === undefined ? null : readAmount(wanted, '/amount');
  const invoiceId = textOf(invoice, '/invoice_id', 127);
  if (authorisation.expired) throw PayPalRefusal.unprocessable('AUTHORIZATION_EXPIRED');
  if (authorisation.status === 'VOIDED') throw PayPalRefusal.unprocessable('AUTHORIZATION_VOIDED');
  if (authorisation.status === 'CAPTURED') throw PayPalRefusal.unprocessable('AUTHORIZATION_ALREADY_CAPTURED');
  const { currency } = authorisation.amount;
  if (amount && amount.currency !== currency) throw PayPalRefusal.unprocessable('AUTH_CAPTURE_CURRENCY_MISMATCH');
  const left = unitsLeft(account, authorisation);
  const units = amount?.units ?? left;
  // 15 % more is possible at PayPal, but not where PSD2 is the law.
  if (units > left) throw PayPalRefusal.unprocessable('MAX_CAPTURE_AMOUNT_EXCEEDED', '/amount');
  const order = account.objects.orders.get(authorisation.orderId);
  if (!order) throw PayPalRefusal.notFound();
  const finalCapture = final === true;
  const capture = bookCapture(account, { order, authorisation, amount: { units, currency }, finalCapture, invoiceId });
  if (capture.status === 'DECLINED') return capture; // the hold is as it was
  const status = finalCapture || units === left ? 'CAPTURED' : 'PARTIALLY_CAPTURED';
  for (const each of heldTogether(account, authorisation)) change(account, each, status);
  return capture;
}

/** Lets go of what has not been captured. */
export function voidAuthorisation(account: PayPalAccount, authorisationId: string): PayPalAuthorisation {
  const authorisation = getAuthorisation(account, authorisationId);
  if (authorisation.status === 'CAPTURED') throw PayPalRefusal.unprocessable('PREVIOUSLY_CAPTURED');
  if (authorisation.status === 'VOIDED') throw PayPalRefusal.unprocessable('PREVIOUSLY_VOIDED');
  // A renewal is let go with the authorisation that it renewed, and in no other way.
  if (authorisation.renewedId !== null) throw PayPalRefusal.unprocessable('CANNOT_BE_VOIDED');
  release(account, heldTogether(account, authorisation), 'voided');
  return authorisation;
}

/** Starts the honour period anew, under a new id. The 29 days go on, and the first authorisation still reads as created. */
export function reauthorise(account: PayPalAccount, authorisationId: string, body: unknown): PayPalAuthorisation {
  const first = getAuthorisation(account, authorisationId);
  const { amount: wanted } = fieldsOf(body);
  const amount = wanted === undefined ? first.amount : readAmount(wanted, '/amount');
  const now = account.nowMs();
  if (first.renewedId !== null) throw PayPalRefusal.unprocessable('REAUTHORIZATION_NOT_SUPPORTED');
  if (first.status === 'VOIDED') throw PayPalRefusal.unprocessable('AUTHORIZATION_VOIDED');
  if (first.status !== 'CREATED') throw PayPalRefusal.unprocessable('AUTHORIZATION_ALREADY_CAPTURED');
  if (now < first.createdAt + honourMs || heldTogether(account, first).length > 1)
    throw PayPalRefusal.unprocessable('REAUTHORIZATION_TOO_SOON');
  if (amount.currency !== first.amount.currency) throw PayPalRefusal.unprocessable('AUTH_CURRENCY_MISMATCH', '/amount');
  if (amount.units > first.amount.units) throw PayPalRefusal.unprocessable('AUTHORIZATION_AMOUNT_EXCEEDED', '/amount');
  const renewal: PayPalAuthorisation = {
    ...first,
    id: account.newId(),
    renewedId: first.id,
    amount,
    createdAt: now,
    updatedAt: now,
  };
  account.objects.authorisations.set(renewal.id, renewal);
  const order = account.objects.orders.get(renewal.orderId);
  if (order) {
    order.authorisationIds.push(renewal.id);
    account.objects.orders.set(order.id, order);
  }
  account.writeLedger('reauthorised', renewal.orderId, renewal.id, renewal.amount);
  account.announce('PAYMENT.AUTHORIZATION.CREATED', { authorisation: renewal });
  return renewal;
}

function isHeld({ status }: PayPalAuthorisation): boolean {
  return status === 'CREATED' || status === 'PARTIALLY_CAPTURED';
}

/** The first authorisation and its renewal: two ids of one hold, the oldest first. */
function heldTogether(account: PayPalAccount, { orderId }: PayPalAuthorisation): PayPalAuthorisation[] {
  const order = account.objects.orders.get(orderId);
  return order ? paymentsOf(account, order).authorisations : [];
}

/** Of the whole hold, which is as large as its latest authorisation says. */
function unitsLeft(account: PayPalAccount, authorisation: PayPalAuthorisation): number {
  const order = account.objects.orders.get(authorisation.orderId);
  const { authorisations, captures } = order ? paymentsOf(account, order) : { authorisations: [], captures: [] };
  let units = (authorisations.at(-1) ?? authorisation).amount.units;
  for (const capture of captures) if (capture.status !== 'DECLINED') units -= capture.amount.units;
  return units;
}

function release(account: PayPalAccount, hold: PayPalAuthorisation[], kind: 'voided' | 'expired'): void {
  const latest = hold.at(-1);
  if (!latest) return;
  const released = { units: unitsLeft(account, latest), currency: latest.amount.currency };
  for (const each of hold) change(account, each, 'VOIDED');
  account.writeLedger(kind, latest.orderId, latest.id, released);
  for (const authorisation of hold) account.announce('PAYMENT.AUTHORIZATION.VOIDED', { authorisation });
}

function change(
  account: PayPalAccount,
  authorisation: PayPalAuthorisation,
  status: PayPalAuthorisation['status'],
): void {
  Object.assign(authorisation, { status, updatedAt: account.nowMs() });
  account.objects.authorisations.set(authorisation.id, authorisation);
}

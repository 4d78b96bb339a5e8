import { buffer } from 'node:stream/consumers';
import type { Email } from '../db/emails.ts';
import { findOrderFacts } from '../db/order-facts.ts';
import { findPaymentOfOrder } from '../db/payments.ts';
import { findReceipt, type Receipt } from '../db/receipts.ts';
import { newsKinds, type OrderFacts } from '../domain/email.ts';
import type { OutgoingMail } from '../mail/mailer.ts';
import type { CancelledFacts, MessageFacts } from '../mail/messages/message.ts';
import { renderMessage } from '../mail/render-message.ts';
import type { CancelReason } from '../payments/next-step.ts';
import { receiptPdf } from '../receipts/receipt-pdf.ts';
import { type ObjectStore, StoreError } from '../storage/object-store.ts';
import { type ReceiptDeps, receiptFileName, remakeReceipt, sha256Of, watchFiles } from './make-receipt.ts';
import { unsubscribeUrl } from './unsubscribe.ts';

/** Writes a message from what is known now. Throws a `StoreError` when the file it carries cannot be had at the moment. */
export async function composeEmail(deps: ReceiptDeps, email: Email): Promise<OutgoingMail> {
  const { pool, settings } = deps;
  const order = await findOrderFacts(pool, email.orderNumber);
  if (!order) throw new TypeError(`there is no order ${email.orderNumber}`);
  const isAboutMoney = !newsKinds.includes(email.kind);
  const payment = isAboutMoney ? await findPaymentOfOrder(pool, email.orderNumber) : null;
  const known = payment && (await findReceipt(pool, payment.id));
  const { receipt, pdf } =
    email.kind === 'receipt' ? await openReceipt(deps, order, known) : { receipt: known, pdf: null };
  const unsubscribe = isAboutMoney ? null : unsubscribeUrl(settings, email.recipient);
  const facts: MessageFacts = {
    order,
    links: {
      receipt: await linkOf(deps, receipt, order.number),
      unsubscribe,
      standing: standingUrl(settings.publicUrl, order),
      shop: settings.publicUrl,
    },
    ...factsIn(email),
  };
  return {
    messageId: email.messageId,
    to: email.recipient,
    ...(await renderMessage(email.kind, facts, settings.shop)),
    attachments: pdf ? [{ fileName: receiptFileName(order.number), contentType: 'application/pdf', content: pdf }] : [],
    unsubscribeUrl: unsubscribe,
    kind: email.kind,
  };
}

/** The page of an order that is paid online; for the others, the board. */
const standingUrl = (publicUrl: string, { number, payment }: OrderFacts) =>
  payment ? `${publicUrl}/v1/checkout/success?order=${number}` : `${publicUrl}/`;

/** Null where nothing can be signed: the file is attached all the same. */
async function linkOf(
  { files, settings }: ReceiptDeps,
  receipt: Receipt | null,
  orderNumber: number,
): Promise<MessageFacts['links']['receipt']> {
  if (!receipt || !files) return null;
  if (files.kind === 'directory' && settings.linkSecrets.length === 0) return null;
  const endsAt = new Date(Date.now() + settings.receiptLinkMs);
  const options = { expiresInMs: settings.receiptLinkMs, fileName: receiptFileName(orderNumber) };
  return { url: await files.signedUrl(receipt.objectKey, options), endsAt };
}

/** What its mail carries. Without a store, or a row of it, it is only that. */
async function openReceipt(
  deps: ReceiptDeps,
  order: OrderFacts,
  receipt: Receipt | null,
): Promise<{ receipt: Receipt | null; pdf: Buffer }> {
  const { files, settings } = deps;
  if (!receipt || !files) return { receipt, pdf: await receiptPdf(order, settings.shop, settings.tax) };
  const kept = await watchFiles(deps, () => readReceipt(files, receipt));
  // Gone or changed in the store: the customer gets what it should be.
  return kept ? { receipt, pdf: kept } : remakeReceipt({ ...deps, files }, receipt, order);
}

/** Null when the store has none, or not this one. */
async function readReceipt(files: ObjectStore, { objectKey, sha256 }: Receipt): Promise<Buffer | null> {
  try {
    const content = await buffer(await files.get(objectKey));
    return sha256Of(content) === sha256 ? content : null;
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'not_found') return null;
    throw error;
  }
}

const engineReasons: Record<CancelReason, true> = {
  payment_expired: true,
  payment_declined: true,
  payment_refused: true,
  payment_refunded: true,
  authorisation_lost: true,
};
const isEngineReason = (reason: unknown): reason is CancelReason =>
  typeof reason === 'string' && Object.hasOwn(engineReasons, reason);

/** What the event said that the message is about. */
function factsIn({ kind, detail }: Email): Pick<MessageFacts, 'cancelled' | 'refund'> {
  if (kind === 'order_cancelled') {
    const cancelled = cancelledFacts(detail?.actor, detail?.reason);
    return cancelled ? { cancelled } : {};
  }
  if (kind !== 'order_refunded') return {};
  const money = (amountMinor: unknown) => ({ amountMinor: Number(amountMinor), currency: String(detail?.currency) });
  const reason = typeof detail?.reason === 'string' ? detail.reason : null;
  return { refund: { amount: money(detail?.amountMinor), total: money(detail?.totalMinor), reason } };
}

function cancelledFacts(actor: unknown, reason: unknown): CancelledFacts | null {
  if (actor === 'system') return isEngineReason(reason) ? { by: 'system', reason } : null;
  return { by: actor === 'customer' ? 'customer' : 'manager', reason: typeof reason === 'string' ? reason : null };
}

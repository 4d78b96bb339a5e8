import { findOrderFacts } from '../db/order-facts.ts';
import { findPaymentOfOrder } from '../db/payments.ts';
import type { Receipt } from '../db/receipts.ts';
import { ReceiptNotFoundError, ServiceUnavailableError } from '../domain/errors.ts';
import type { Actor } from '../domain/user.ts';
import { type ObjectStore, StoreError } from '../storage/object-store.ts';
import { makeReceipt, type ReceiptDeps, receiptFileName, remakeReceipt } from './make-receipt.ts';
import { showOrder } from './read-orders.ts';
import { within } from './within.ts';

/** Whoever asks is there and reads it now; who needs it later asks again. */
const linkMs = 900_000;
/** A store that hangs is away. */
const patienceMs = 10_000;

export interface ReceiptLink {
  url: string;
  expiresAt: Date;
  fileName: string;
  madeAt: Date;
}

/** Where the receipt of an order is read; made now, when its job has not been there yet. */
export async function showReceipt(deps: ReceiptDeps, actor: Actor, orderNumber: number): Promise<ReceiptLink> {
  const { number } = await showOrder(deps.pool, actor, orderNumber);
  const payment = await findPaymentOfOrder(deps.pool, number);
  if (!payment || payment.capturedMinor === 0) throw new ReceiptNotFoundError(number);
  return within(patienceMs, 'The files store', linkTo(deps, payment.id, number));
}

async function linkTo(deps: ReceiptDeps, paymentId: string, orderNumber: number): Promise<ReceiptLink> {
  const { files } = deps;
  if (!files) throw new ServiceUnavailableError('The files store');
  try {
    const made = await makeReceipt(deps, paymentId);
    if (!made) throw new ReceiptNotFoundError(orderNumber);
    const receipt = (await files.head(made.objectKey)) ? made : await remake({ ...deps, files }, made, orderNumber);
    const fileName = receiptFileName(orderNumber);
    const expiresAt = new Date(Date.now() + linkMs);
    const url = await files.signedUrl(receipt.objectKey, { expiresInMs: linkMs, fileName });
    return { url, expiresAt, fileName, madeAt: receipt.madeAt };
  } catch (error) {
    if (error instanceof StoreError) throw new ServiceUnavailableError('The files store', error);
    throw error;
  }
}

async function remake(
  deps: ReceiptDeps & { files: ObjectStore },
  lost: Receipt,
  orderNumber: number,
): Promise<Receipt> {
  const facts = await findOrderFacts(deps.pool, orderNumber);
  if (!facts) throw new ReceiptNotFoundError(orderNumber);
  return (await remakeReceipt(deps, lost, facts)).receipt;
}

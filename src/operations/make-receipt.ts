import { createHash } from 'node:crypto';
import type { DatabasePool } from 'slonik';
import { findReceiptEmail } from '../db/due-emails.ts';
import { findOrderFacts } from '../db/order-facts.ts';
import { recordPaymentEvent } from '../db/payment-events.ts';
import { findPayment } from '../db/payments.ts';
import { findReceipt, insertReceipt, type Receipt, replaceReceipt } from '../db/receipts.ts';
import { clearServiceFault, reportServiceFault } from '../db/service-faults.ts';
import type { Db } from '../db/sql.ts';
import type { OrderFacts } from '../domain/email.ts';
import type { Logger } from '../log.ts';
import { receiptPdf } from '../receipts/receipt-pdf.ts';
import { type ObjectStore, StoreError } from '../storage/object-store.ts';
import type { MailSettings } from './mail-settings.ts';
import { addEmails, newsMaxAgeMs } from './new-emails.ts';

export interface ReceiptDeps {
  pool: DatabasePool;
  /** Null: not set up. Then a receipt is only what is attached to its mail. */
  files: ObjectStore | null;
  settings: MailSettings;
  wakeRelay(): void;
  log: Pick<Logger, 'info' | 'warn'>;
}

export const receiptFileName = (orderNumber: number) => `receipt-${orderNumber}.pdf`;

/**
 * Makes the PDF of a captured payment, once: the file first, then its row with the mail that carries it. The same facts give the
 * same file, so a repeat after a crash writes over its own. Null when nothing was captured, or there is no store.
 */
export async function makeReceipt(deps: ReceiptDeps, paymentId: string): Promise<Receipt | null> {
  const { pool, files, settings, wakeRelay, log } = deps;
  const earlier = await findReceipt(pool, paymentId);
  if (earlier) return earlier;
  const payment = await findPayment(pool, paymentId);
  const facts = payment && (await findOrderFacts(pool, payment.orderNumber));
  if (!facts?.payment || facts.payment.captured.amountMinor === 0) return null;
  if (!files) {
    await pool.transaction((transaction) => planReceiptEmail(transaction, settings, paymentId));
    wakeRelay();
    return null;
  }
  const { file } = await writeReceipt({ ...deps, files }, facts);
  const made = await pool.transaction(async (transaction) => {
    const receipt = await insertReceipt(transaction, { paymentId, ...file });
    if (!receipt) return null;
    await recordPaymentEvent(transaction, { paymentId, type: 'receipt_made', actor: 'system' });
    await planReceiptEmail(transaction, settings, paymentId);
    return receipt;
  });
  wakeRelay();
  if (made) log.info({ orderNumber: facts.number }, 'receipt made');
  return made ?? findReceipt(pool, paymentId);
}

/** The file of a receipt that the store has lost, or has something else in place of: made anew, from what is known now. */
export async function remakeReceipt(
  deps: ReceiptDeps & { files: ObjectStore },
  { paymentId, objectKey }: Receipt,
  facts: OrderFacts,
): Promise<{ receipt: Receipt; pdf: Buffer }> {
  deps.log.warn({ objectKey }, 'receipt is not in its store, made anew');
  const { file, pdf } = await writeReceipt(deps, facts);
  return { receipt: await replaceReceipt(deps.pool, { paymentId, ...file }), pdf };
}

async function writeReceipt(deps: ReceiptDeps & { files: ObjectStore }, facts: OrderFacts) {
  const { files, settings } = deps;
  const pdf = await receiptPdf(facts, settings.shop, settings.tax);
  const sha256 = sha256Of(pdf);
  const objectKey = keyOf(facts, sha256);
  await watchFiles(deps, () => files.put(objectKey, pdf, { contentType: 'application/pdf' }));
  return { pdf, file: { objectKey, sha256, bytes: pdf.length } };
}

/** What the files store refuses or is away for shows in `/readyz`, until it works again. */
export async function watchFiles<T>(
  { pool, log }: Pick<ReceiptDeps, 'pool' | 'log'>,
  use: () => Promise<T>,
): Promise<T> {
  let answer: T;
  try {
    answer = await use();
  } catch (error) {
    if (error instanceof StoreError && error.kind !== 'not_found') {
      const isNew = await reportServiceFault(pool, { service: 'files', code: error.code, message: error.message });
      if (isNew) log.warn({ code: error.code, error: error.message }, 'files store failed, receipts wait');
    }
    throw error;
  }
  if (await clearServiceFault(pool, 'files')) log.info({}, 'files store works again');
  return answer;
}

export const sha256Of = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

function keyOf({ number, payment, placedAt }: OrderFacts, sha256: string): string {
  const year = (payment?.capturedAt ?? placedAt).getUTCFullYear();
  return `receipts/${year}/${number}-${sha256.slice(0, 12)}.pdf`;
}

async function planReceiptEmail(transaction: Db, { senderDomain }: MailSettings, paymentId: string): Promise<void> {
  const due = senderDomain && (await findReceiptEmail(transaction, paymentId, newsMaxAgeMs));
  if (due) await addEmails(transaction, [due], senderDomain);
}

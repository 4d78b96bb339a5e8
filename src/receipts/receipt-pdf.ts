import type { ShopSettings, TaxSettings } from '../config-mail.ts';
import type { OrderFacts } from '../domain/email.ts';

/**
 * The receipt of a paid order, on A4. The same facts give the same bytes, so that one made again is the same file. It is about the payment:
 * what is refunded later has a mail of its own, and changes nothing here.
 */
export async function receiptPdf(facts: OrderFacts, shop: ShopSettings, tax: TaxSettings): Promise<Buffer> {
  // Half a second and 25 MB to load, which only who writes receipts should pay.
  const { drawReceipt } = await import('./draw-receipt.ts');
  return drawReceipt(facts, shop, tax);
}

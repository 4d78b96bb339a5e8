import { z } from 'zod';
import type { Money } from './money.ts';
import type { OrderItem } from './order.ts';

/** What customers are told. */
export const emailKinds = ['order_confirmed', 'order_ready', 'receipt', 'order_cancelled', 'order_refunded'] as const;
export const emailKindSchema = z.enum(emailKinds);
export type EmailKind = z.infer<typeof emailKindSchema>;

/** News of orders, which a customer may not want; the others are about money and are always sent. */
export const newsKinds: readonly EmailKind[] = ['order_confirmed', 'order_ready', 'order_cancelled'];

/** What a mail and a receipt are written from. Times are as Postgres has them; what shows them knows the time zone. */
export interface OrderFacts {
  number: number;
  items: OrderItem[];
  total: Money;
  customerName: string | null;
  /** Of the account. */
  displayName: string;
  placedAt: Date;
  completedAt: Date | null;
  note: string | null;
  /** Null for what is paid at the counter. */
  payment: PaymentFacts | null;
}

export interface PaymentFacts {
  provider: 'stripe' | 'paypal';
  /** The provider's name of the capture. */
  reference: string | null;
  captured: Money;
  capturedAt: Date | null;
  refunded: Money;
}

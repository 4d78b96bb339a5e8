import type { OrderFacts } from '../../domain/email.ts';
import type { Money } from '../../domain/money.ts';

/** All that a message is written from. */
export interface MessageFacts {
  order: OrderFacts;
  links: {
    /** The PDF, at an address that ends. */
    receipt: { url: string; endsAt: Date } | null;
    unsubscribe: string | null;
    /** Where its reader sees how far the order is. */
    standing: string | null;
    /** Where the shop's pages are. */
    shop: string | null;
  };
  /** Of a cancelled order. */
  cancelled?: CancelledFacts;
  /** Of a refund: this one, and all of the order so far. */
  refund?: { amount: Money; total: Money; reason: string | null };
}

/** As the order's event has it: by the engine itself, the reason is one of its codes (`CancelReason`); by a person, their own words. */
export interface CancelledFacts {
  by: 'customer' | 'manager' | 'system';
  reason: string | null;
}

/** What a message says, in the order it is read. The HTML and the text are both made from this, so they cannot disagree. */
export interface Message {
  subject: string;
  /** What a list of mails shows beside the subject. */
  preview: string;
  blocks: Block[];
  /** Why somebody gets it, for the end of it. */
  because: string;
}

export type Block =
  | { kind: 'heading'; text: string }
  | { kind: 'paragraph'; text: string }
  /** What is called out at the counter. */
  | { kind: 'number'; label: string; value: string }
  /** Somebody's own words, which may have several lines. */
  | { kind: 'quote'; label: string; text: string }
  | { kind: 'button'; label: string; url: string; hint: string }
  | { kind: 'lines'; lines: Line[]; totals: Total[] }
  | { kind: 'facts'; facts: Fact[] };

export interface Line {
  quantity: number;
  name: string;
  /** Of one, where there are several. */
  each: string | null;
  amount: string;
}

export interface Total {
  label: string;
  amount: string;
  isStrong: boolean;
}

export interface Fact {
  label: string;
  value: string;
}

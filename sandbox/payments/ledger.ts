import type { ProviderName } from './answer.ts';
import type { Collection, SandboxStore } from './sandbox-store.ts';

export type LedgerEntryKind = 'authorised' | 'captured' | 'voided' | 'refunded' | 'expired' | 'reauthorised';

/** One effect on somebody's money. */
export interface LedgerEntry {
  at: string;
  provider: ProviderName;
  kind: LedgerEntryKind;
  /** The engine's, from the metadata or the custom id. */
  paymentId: string | null;
  orderNumber: number | null;
  /** Of the object that carries it: an intent or an authorisation, a charge or a capture, a refund. */
  reference: string;
  /** ISO 4217 minor units, whatever the provider counts in. */
  amountMinor: number;
  currency: string;
}

/**
 * The sandbox's own account of the money, written where an effect happens and never derived from the objects: it shows an effect
 * that happened twice even where the object looks as if it had happened once.
 */
export class SandboxLedger {
  readonly #entries: Collection<LedgerEntry>;

  constructor(store: SandboxStore) {
    this.#entries = store.collection('ledger');
  }

  write(entry: Omit<LedgerEntry, 'at'>): void {
    this.#entries.set(String(this.#entries.size), { at: new Date().toISOString(), ...entry });
  }

  entries(wanted: Partial<Pick<LedgerEntry, 'provider' | 'kind' | 'paymentId' | 'orderNumber'>> = {}): LedgerEntry[] {
    const entries = [...this.#entries.values()];
    return entries.filter(
      (entry) =>
        (wanted.provider === undefined || entry.provider === wanted.provider) &&
        (wanted.kind === undefined || entry.kind === wanted.kind) &&
        (wanted.paymentId === undefined || entry.paymentId === wanted.paymentId) &&
        (wanted.orderNumber === undefined || entry.orderNumber === wanted.orderNumber),
    );
  }
}

import type { MailConfig, ShopSettings, TaxSettings } from '../config-mail.ts';

/** What mails and receipts are made with. */
export interface MailSettings {
  /** Of the sender's address: the right side of every Message-ID. Null: mail is not set up, and nothing is planned. */
  senderDomain: string | null;
  giveUpAfterMs: number;
  shop: ShopSettings;
  tax: TaxSettings;
  /** Where customers reach this engine. */
  publicUrl: string;
  /** The first signs, all of them count; empty where none is known: then mails have no link to end them. */
  linkSecrets: readonly string[];
  receiptLinkMs: number;
}

/** The settings as the environment gives them. */
export function mailSettingsOf(config: {
  mail: MailConfig;
  payments: { publicUrl: string };
  stores: { receiptLinkMs: number };
  tokens: { secrets: readonly string[] } | null;
}): MailSettings {
  const { smtp, giveUpAfterMs, shop, tax } = config.mail;
  return {
    senderDomain: smtp && (/@([^<>@\s]+)>?$/.exec(smtp.from)?.[1] ?? 'localhost'),
    giveUpAfterMs,
    shop,
    tax,
    publicUrl: config.payments.publicUrl,
    linkSecrets: config.tokens?.secrets ?? [],
    receiptLinkMs: config.stores.receiptLinkMs,
  };
}

import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { atLeast, count, durationWithin, oneOf, port, webAddress } from './config-values.ts';

/** `orders@shop.example`, or `The Shop <orders@shop.example>`; on one line, so that nothing else gets into a header. */
const mailbox = z.string().regex(/^([^<>@"\r\n]{1,100} <[^<>@\s",;:]+@[^<>@\s",;:]+>|[^<>@\s",;:]+@[^<>@\s",;:]+)$/, {
  error: 'takes an address such as orders@shop.example, or The Shop <orders@shop.example>',
});
/** Goes into headers and headings. */
const line = (length: number) =>
  z
    .string()
    .max(length, `takes at most ${length} characters`)
    .regex(/^\P{Cc}*$/u, 'takes one line');
const percent = z.coerce
  .number({ error: 'takes a number of percent from 0 to 100' })
  .min(0, 'takes a number of percent from 0 to 100')
  .max(100, 'takes a number of percent from 0 to 100');

/** The environment names of mail and of what the shop calls itself on mails and receipts. */
export const mailVariables = {
  SMTP_HOST: atLeast(1).optional(),
  SMTP_PORT: port.default(587),
  SMTP_USERNAME: atLeast(1).optional(),
  SMTP_PASSWORD: atLeast(1).optional(),
  SMTP_FROM: mailbox.optional(),
  SMTP_REPLY_TO: mailbox.optional(),
  SMTP_SECURITY: oneOf('starttls', 'tls', 'none').optional(),
  SMTP_TIMEOUT: durationWithin('1s', '5m').default(30_000),
  SMTP_CONNECTIONS: count(1, 50).default(3),
  SMTP_PER_SECOND: count(0, 1_000).default(10),
  DKIM_DOMAIN: z
    .string()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'takes a domain such as shop.example')
    .optional(),
  DKIM_SELECTOR: z
    .string()
    .regex(/^[a-z0-9._-]+$/i, 'takes the name before ._domainkey')
    .optional(),
  // As a file holds it, or with \n written out, as some platforms keep it on one line.
  DKIM_PRIVATE_KEY: z
    .string()
    .transform((text) => text.replaceAll('\\n', '\n').trim())
    .refine(isSigningKey, 'takes an RSA private key in PEM form')
    .optional(),
  DEV_MAIL_URL: webAddress.optional(),
  MAIL_GIVE_UP_AFTER: durationWithin('1m', '7d').default(172_800_000),
  SHOP_NAME: line(60).min(1).default('twolane'),
  SHOP_COLOUR: z
    .string()
    .regex(/^#?[0-9a-f]{6}$/i, 'takes a colour such as 1f6f54')
    .transform((text) => (text.startsWith('#') ? text : `#${text}`)) // in a .env file # begins a comment
    .default('#1f6f54'),
  SHOP_ADDRESS: line(300).default(''),
  SHOP_EMAIL: mailbox.optional(),
  SHOP_TAX_NUMBER: line(60).optional(),
  SHOP_LOCALE: z.string().refine(isLocale, 'takes a language and region such as en-GB or de-DE').default('en-GB'),
  SHOP_TIME_ZONE: z.string().refine(isTimeZone, 'takes a time zone such as Europe/Berlin').default('UTC'),
  TAX_NAME: line(20).min(1).default('VAT'),
  TAX_RATE: percent.optional(),
  TAX_RATES_BY_SKU: z
    .string()
    .transform((text, context) => {
      const rates = new Map<string, number>();
      for (const part of text.split(',').filter((piece) => piece.trim() !== '')) {
        const [sku = '', rate = '', ...rest] = part.split('=').map((piece) => piece.trim());
        const parsed = percent.safeParse(rate);
        if (sku === '' || rate === '' || rest.length > 0 || !parsed.success) {
          context.addIssue('takes products and percent such as tea=7, cake=7');
          return z.NEVER;
        }
        rates.set(sku, parsed.data);
      }
      return rates;
    })
    .default(new Map()),
};
const mailEnvironment = z.object(mailVariables);

export interface SmtpSettings {
  host: string;
  port: number;
  /** Null: the server asks for none. */
  login: { username: string; password: string } | null;
  /** As a header has it: an address, or a name with one. */
  from: string;
  replyTo: string | null;
  security: 'starttls' | 'tls' | 'none';
  timeoutMs: number;
  connections: number;
  /** Of one process; 0 is no limit. */
  perSecond: number;
  dkim: { domain: string; selector: string; privateKey: string } | null;
}

/** What the shop calls itself on mails and receipts. */
export interface ShopSettings {
  name: string;
  /** `#rrggbb` */
  colour: string;
  addressLines: string[];
  /** Where customers write to; null for nowhere. */
  email: string | null;
  taxNumber: string | null;
  locale: string;
  timeZone: string;
}

/** Prices contain it. */
export interface TaxSettings {
  name: string;
  /** Percent of what has no rate of its own; null: no tax is shown. */
  rate: number | null;
  rateBySku: ReadonlyMap<string, number>;
}

export interface MailConfig {
  /** Null: no mails are sent, and none are kept for later. */
  smtp: SmtpSettings | null;
  giveUpAfterMs: number;
  /** Where the demo shows the mails that it has caught; null elsewhere. */
  devMailUrl: string | null;
  shop: ShopSettings;
  tax: TaxSettings;
}

/** Mail is set up whole or not at all, and no password travels in clear. */
export function mailFaults(present: Record<string, string | undefined>, isProduction: boolean): string[] {
  const faults: string[] = [];
  const isHere = ['localhost', '127.0.0.1', '::1'].includes(present.SMTP_HOST ?? '');
  if (!!present.SMTP_HOST !== !!present.SMTP_FROM) faults.push('SMTP_HOST and SMTP_FROM: come together or not at all');
  if (!!present.SMTP_USERNAME !== !!present.SMTP_PASSWORD)
    faults.push('SMTP_USERNAME and SMTP_PASSWORD: come together or not at all');
  if (isProduction && present.SMTP_SECURITY === 'none' && !isHere)
    faults.push('SMTP_SECURITY: none would send mails in clear; production takes starttls or tls');
  const dkim = ['DKIM_DOMAIN', 'DKIM_SELECTOR', 'DKIM_PRIVATE_KEY'];
  const missing = dkim.filter((name) => !present[name]);
  if (missing.length > 0 && missing.length < dkim.length)
    faults.push(`${missing.join(', ')}: missing; ${dkim.join(', ')} come together or not at all`);
  if (isProduction && present.DEV_MAIL_URL)
    faults.push('DEV_MAIL_URL: is for development and tests, never for production');
  if (isProduction && present.SMTP_HOST && !/^https:/i.test(present.PUBLIC_URL ?? ''))
    faults.push('PUBLIC_URL: takes an address with https where mails are sent, which link to it');
  return faults;
}

export function mailFrom(is: z.infer<typeof mailEnvironment>): MailConfig {
  const { SMTP_HOST, SMTP_FROM, SMTP_USERNAME, SMTP_PASSWORD, DKIM_DOMAIN, DKIM_SELECTOR, DKIM_PRIVATE_KEY } = is;
  return Object.freeze({
    smtp:
      SMTP_HOST && SMTP_FROM
        ? Object.freeze({
            host: SMTP_HOST,
            port: is.SMTP_PORT,
            login: SMTP_USERNAME && SMTP_PASSWORD ? { username: SMTP_USERNAME, password: SMTP_PASSWORD } : null,
            from: SMTP_FROM,
            replyTo: is.SMTP_REPLY_TO ?? null,
            security: is.SMTP_SECURITY ?? (is.SMTP_PORT === 465 ? 'tls' : 'starttls'),
            timeoutMs: is.SMTP_TIMEOUT,
            connections: is.SMTP_CONNECTIONS,
            perSecond: is.SMTP_PER_SECOND,
            dkim:
              DKIM_DOMAIN && DKIM_SELECTOR && DKIM_PRIVATE_KEY
                ? { domain: DKIM_DOMAIN, selector: DKIM_SELECTOR, privateKey: DKIM_PRIVATE_KEY }
                : null,
          })
        : null,
    giveUpAfterMs: is.MAIL_GIVE_UP_AFTER,
    devMailUrl: is.DEV_MAIL_URL ?? null,
    shop: Object.freeze({
      name: is.SHOP_NAME,
      colour: is.SHOP_COLOUR,
      addressLines: is.SHOP_ADDRESS.split('|')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
      email: is.SHOP_EMAIL ?? null,
      taxNumber: is.SHOP_TAX_NUMBER ?? null,
      locale: is.SHOP_LOCALE,
      timeZone: is.SHOP_TIME_ZONE,
    }),
    tax: Object.freeze({ name: is.TAX_NAME, rate: is.TAX_RATE ?? null, rateBySku: is.TAX_RATES_BY_SKU }),
  });
}

function isSigningKey(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyType === 'rsa'; // nodemailer signs by no other, and says nothing
  } catch {
    return false;
  }
}

function isLocale(text: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(text).length > 0;
  } catch {
    return false;
  }
}

function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

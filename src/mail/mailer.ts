import type { EmailKind } from '../domain/email.ts';

/** A mail as it goes out. What it says is made elsewhere (`render-message.ts`). */
export interface OutgoingMail {
  /** `<…@…>`, always the same for the same message, so that a repeat is known as one. */
  messageId: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  attachments: { fileName: string; contentType: string; content: Buffer }[];
  /** Where the reader ends these mails: a page, which also takes a POST without being asked anything (RFC 8058). */
  unsubscribeUrl: string | null;
  /** Goes with it as `X-Twolane-Kind`, for whoever sorts mails. */
  kind?: EmailKind;
}

export interface Mailer {
  /** Hands it to the mail server, and gives what that said. Every failure is a `MailError`. */
  send(mail: OutgoingMail): Promise<{ code: number; response: string }>;
  /** Connects and signs in, and sends nothing. Throws a `MailError`. */
  verify(): Promise<void>;
  /** Lets go of what is under way: who wants it finished waits for it first. */
  close(): void;
}

/**
 * `refused`: never this mail (5xx for its envelope or content). `temporary`: later, perhaps. `configuration`: no mail at all until
 * somebody changes a setting (wrong password, no STARTTLS, a certificate that nobody trusts, a sender that may not send).
 * `unheard`: it was handed over, and the answer was lost: it may have arrived.
 */
export type MailErrorKind = 'refused' | 'temporary' | 'configuration' | 'unheard';

export class MailError extends Error {
  readonly kind: MailErrorKind;
  /** The library's word, `EAUTH`. */
  readonly code: string;
  /** What the server answered with; null when it did not. */
  readonly smtpCode: number | null;

  constructor(
    kind: MailErrorKind,
    code: string,
    message: string,
    { smtpCode = null, ...options }: ErrorOptions & { smtpCode?: number | null } = {},
  ) {
    super(message, options);
    this.name = 'MailError';
    this.kind = kind;
    this.code = code;
    this.smtpCode = smtpCode;
  }
}

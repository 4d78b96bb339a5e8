import { MailError, type MailErrorKind } from './mailer.ts';

/** What nodemailer says of a failure, as far as it is looked at. */
export interface SmtpFailure {
  message: string;
  code?: string | undefined;
  /** `RCPT TO`; `CONN` where no command was under way, whatever was being sent. */
  command?: string | undefined;
  response?: string | undefined;
  responseCode?: number | undefined;
  /** Of the system, `ECONNREFUSED`, where `code` is nodemailer's own. */
  originalCode?: string | undefined;
}

export interface SmtpFailureContext {
  /** Whether the mail had gone out to its end, so that the server may have taken it. */
  isHandedOver: boolean;
  /** What no error may say: our password, and whom the mail is for. */
  secrets: readonly string[];
}

/** Signing in, or encryption, is missing or not enough: RFC 4954 and 3207. Said at any command. */
const authenticationCodes = [530, 534, 535, 538];
/** The sender's address, not the recipient's: RFC 3463; and what its domain does not vouch for (SPF, DKIM, DMARC): RFC 7372. */
const senderStatuses = ['5.1.7', '5.1.8', '5.7.20', '5.7.21', '5.7.22', '5.7.23', '5.7.25', '5.7.26', '5.7.27'];
/** Servers that hold back what they think of the sender until they hear a recipient, or the whole mail. */
const senderWords =
  /sender (address|verify|is) ?\S* (rejected|failed|not)|sender (address )?rejected|relay(ing)? (access )?(is )?(denied|not permitted|not allowed|prohibited)|(unable|not permitted|not allowed) to relay|authentication (is )?required|not authorized to send|address is not verified/i;
/** Too much at once or today: the mail itself is well. */
const congestionStatuses = ['5.3.1', '5.4.5'];
const tooLargeStatuses = ['5.2.3', '5.3.4'];
const tooLargeCodes = [523, 552];

const stepNames: Record<string, string> = {
  CONN: 'The connection to the mail server',
  EHLO: 'The greeting of the mail server',
  HELO: 'The greeting of the mail server',
  STARTTLS: 'STARTTLS',
  'MAIL FROM': 'Naming the sender',
  'RCPT TO': 'Naming the recipient',
  DATA: 'Handing over the mail',
};

/**
 * What a failure to send means. The library's error is not kept as the cause: a server may repeat in its answer what it was sent,
 * the password included.
 */
export function judgeSmtpFailure(failure: SmtpFailure, { isHandedOver, secrets }: SmtpFailureContext): MailError {
  const code = failure.originalCode ?? failure.code ?? 'UNKNOWN';
  const reply = isRefusal(failure.responseCode) ? failure.responseCode : null;
  const kind = reply === null ? kindOfSilence(failure, isHandedOver) : kindOfReply(failure, reply);
  const step = failure.command?.startsWith('AUTH')
    ? 'Signing in to the mail server'
    : (stepNames[failure.command ?? ''] ?? 'Sending');
  const said =
    failure.response ?? (failure.originalCode ? `${failure.originalCode}, ${failure.message}` : failure.message);
  const text = `${step} failed: ${withoutSecrets(said, secrets)}`;
  return new MailError(kind, code, text, { smtpCode: reply });
}

function kindOfReply({ code, command = '', response = '' }: SmtpFailure, reply: number): MailErrorKind {
  const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] ?? '';
  if (reply < 500 || congestionStatuses.includes(status)) return 'temporary';
  if (code === 'EAUTH' || code === 'ETLS' || authenticationCodes.includes(reply)) return 'configuration';
  if (reply === 503) return 'temporary'; // the session was in a wrong state: on a new one the same mail may go
  // before a mail is named, no mail can be at fault
  if (['CONN', 'EHLO', 'HELO'].includes(command)) return 'configuration';
  if (command !== 'MAIL FROM' && command !== 'RCPT TO' && command !== 'DATA') return 'temporary';
  if (tooLargeCodes.includes(reply) || tooLargeStatuses.includes(status)) return 'refused';
  if (command === 'MAIL FROM') return 'configuration'; // all that this command tells, is who we are
  return senderStatuses.includes(status) || senderWords.test(response) ? 'configuration' : 'refused';
}

function kindOfSilence({ code, command, originalCode = '' }: SmtpFailure, isHandedOver: boolean): MailErrorKind {
  if (isHandedOver) return 'unheard';
  if (isCertificateFault(originalCode) || isNoTls(originalCode)) return 'configuration';
  switch (code) {
    case 'EAUTH': // of a method that nobody knows
    case 'ENOAUTH':
    case 'ECONFIG':
      return 'configuration';
    case 'ETLS': // a connection that breaks in the handshake is only that
      return command === 'STARTTLS' ? 'configuration' : 'temporary';
    case 'EDNS':
      return originalCode === 'ENOTFOUND' ? 'configuration' : 'temporary';
    case 'EENVELOPE': // nodemailer would not even offer it
    case 'EMESSAGE':
    case 'ESTREAM':
      return 'refused';
    default:
      return 'temporary';
  }
}

const isRefusal = (code: number | undefined): code is number => code !== undefined && code >= 400 && code < 600;

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes, and of the name. */
const isCertificateFault = (code: string) =>
  /^(UNABLE_TO_|CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF|CRL_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_TLS_CERT|ERROR_IN_CERT)/.test(
    code,
  );

/** What speaks there is not TLS, or none that we accept: the wrong port, or SMTP_SECURITY. */
const isNoTls = (code: string) => code === 'EPROTO' || code.startsWith('ERR_SSL_');

const longestText = 300;

/** A server's answer as it may be stored and logged: on one line, short, and with nothing in it that was ours to keep. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let cleaned = text.replace(/\s+/g, ' ').trim();
  for (const secret of secrets.filter((each) => each.length > 2)) {
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')])
      cleaned = replaceAnyCase(cleaned, form);
  }
  return cleaned.length > longestText ? `${cleaned.slice(0, longestText - 1)}…` : cleaned;
}

function replaceAnyCase(text: string, part: string): string {
  return text.replace(new RegExp(part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'gi'), () => '…');
}

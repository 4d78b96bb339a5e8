import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Attachment, type ParsedMail, simpleParser } from 'mailparser';

export interface CaughtMail {
  id: string;
  receivedAt: Date;
  envelope: { from: string; to: string[] };
  messageId: string | null;
  /** As the header has it. */
  from: string;
  subject: string;
  /** What the engine calls it, `receipt`; null for mails of others. */
  kind: string | null;
  text: string | null;
  /** With the pictures that came along in it. */
  html: string | null;
  attachments: { fileName: string; contentType: string; content: Buffer }[];
  /** As they came, each on one line or more. */
  headers: { name: string; line: string }[];
  /** As it came over the wire. */
  source: Buffer;
}

export const usuallyKept = 500;

/** The mails that came, the oldest first; in a folder, when it is given one, as files that any mail program opens. */
export class MailBox {
  readonly #folder: string | null;
  readonly #keep: number;
  readonly #listeners = new Set<() => void>();
  #mails: CaughtMail[] = [];

  constructor({ folder = null, keep = usuallyKept }: { folder?: string | null; keep?: number } = {}) {
    this.#folder = folder;
    this.#keep = keep;
  }

  /** What the folder has from before. */
  async load(): Promise<void> {
    if (this.#folder === null) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const names = readdirSync(this.#folder).filter((name) => /^\d+-[0-9a-f-]+\.eml$/.test(name));
    for (const name of names.sort().slice(-this.#keep)) {
      const stored = readFileSync(path.join(this.#folder, name));
      const end = stored.indexOf('\r\n\r\n');
      const added = /^Return-Path: <(.*)>\r\nDelivered-To: (.*)\r\n/.exec(stored.subarray(0, end).toString());
      if (!added) continue; // not one of ours
      const [head, from = '', to = ''] = added;
      const [ms = '0', ...id] = name.slice(0, -'.eml'.length).split('-');
      const envelope = { from, to: to.split(', ') };
      this.#mails.push(
        await read(id.join('-'), new Date(Number(ms)), envelope, stored.subarray(Buffer.byteLength(head))),
      );
    }
  }

  mails(): readonly CaughtMail[] {
    return this.#mails;
  }

  find(id: string): CaughtMail | null {
    return this.#mails.find((mail) => mail.id === id) ?? null;
  }

  async put(envelope: CaughtMail['envelope'], source: Buffer): Promise<CaughtMail> {
    const mail = await read(randomUUID(), new Date(), envelope, source);
    this.#mails.push(mail);
    if (this.#folder !== null) writeWhole(fileOf(this.#folder, mail), storedForm(mail));
    while (this.#mails.length > this.#keep) this.#forget(this.#mails.shift());
    for (const listener of [...this.#listeners]) listener();
    return mail;
  }

  clear(): void {
    for (const mail of this.#mails) this.#forget(mail);
    this.#mails = [];
  }

  /** Called after each mail that came, until what it gives is called. */
  onMail(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #forget(mail: CaughtMail | undefined): void {
    if (mail && this.#folder !== null) rmSync(fileOf(this.#folder, mail), { force: true });
  }
}

/** Thirteen digits, so that names are in the order of time. */
function fileOf(folder: string, { id, receivedAt }: CaughtMail): string {
  return path.join(folder, `${String(receivedAt.getTime()).padStart(13, '0')}-${id}.eml`);
}

/** With the two lines that a server writes above what it delivers, and which say its envelope. */
function storedForm({ envelope, source }: CaughtMail): Buffer {
  const head = `Return-Path: <${envelope.from}>\r\nDelivered-To: ${envelope.to.join(', ')}\r\n`;
  return Buffer.concat([Buffer.from(head), source]);
}

/** A crash leaves no half of one. */
function writeWhole(file: string, content: Buffer): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function read(
  id: string,
  receivedAt: Date,
  envelope: CaughtMail['envelope'],
  source: Buffer,
): Promise<CaughtMail> {
  const parsed: ParsedMail = await simpleParser(source, { skipImageLinks: false, skipTextToHtml: true });
  const kind = parsed.headers.get('x-twolane-kind');
  return {
    id,
    receivedAt,
    envelope,
    messageId: parsed.messageId ?? null,
    from: parsed.from?.text ?? envelope.from,
    subject: parsed.subject ?? '',
    kind: typeof kind === 'string' ? kind : null,
    text: parsed.text ?? null,
    html: parsed.html || null,
    attachments: parsed.attachments.filter(({ related }) => !related).map(attachmentOf),
    headers: parsed.headerLines.map(({ key, line }) => ({ name: key, line })),
    source,
  };
}

const attachmentOf = ({ filename, contentType, content }: Attachment) => ({
  fileName: filename ?? 'attachment',
  contentType,
  content,
});

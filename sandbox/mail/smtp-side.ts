import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { MailBox } from './mail-box.ts';
import type { MailFaults, MailStage } from './mail-faults.ts';

export interface SmtpSideOptions {
  host: string;
  port: number;
  /** `starttls` is offered, not demanded. */
  security: 'starttls' | 'tls' | 'none';
  /** Null: who signs in is let in, and nobody has to. */
  login: { username: string; password: string } | null;
}

export interface SmtpSide {
  port: number;
  /** In PEM form; it is its own authority. */
  certificate: string;
  /** Breaks every connection, as a server does that restarts. */
  dropAll(): void;
  close(): Promise<void>;
}

class SmtpAnswer extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, text = 'Scripted by the sandbox') {
    super(text);
    this.responseCode = responseCode;
  }
}

/** A mail server that takes everything, unless it is told to do otherwise. */
export async function openSmtpSide(options: SmtpSideOptions, box: MailBox, faults: MailFaults): Promise<SmtpSide> {
  const { host, security, login } = options;
  const { cert, private: key } = await makeCertificate();
  const sockets = new Map<number, Socket>();
  const closing = new AbortController();

  /** Lets pass, or throws what is to be answered; a drop does neither: nobody is there to be answered. */
  async function meet(at: MailStage, session: SMTPServerSession, to: string | null = null): Promise<void> {
    const due = faults.next(at, to);
    if (!due) return;
    if (due.delayMs > 0) await sleep(due.delayMs, undefined, { signal: closing.signal });
    if (due.drop) {
      sockets.get(session.remotePort)?.destroy();
      await new Promise(() => {});
    }
    if (due.code !== undefined) throw new SmtpAnswer(due.code, due.text);
  }

  async function take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const { mailFrom, rcptTo } = session.envelope;
    const to = rcptTo.map(({ address }) => address);
    const [first = null] = to;
    const source = await readWhole(stream, () => meet('data', session, first));
    await box.put({ from: mailFrom ? mailFrom.address : '', to }, source);
    await meet('after-data', session, first);
  }

  const server = new SMTPServer({
    name: 'mail.twolane.test',
    banner: 'twolane mail catcher',
    secure: security === 'tls',
    key,
    cert,
    ...(security === 'none' && { disabledCommands: ['STARTTLS'] }),
    allowInsecureAuth: security === 'none',
    authOptional: login === null,
    hideENHANCEDSTATUSCODES: true, // the answers of scripts say their own
    disableReverseLookup: true,
    closeTimeout: 1,
    logger: false,
    onConnect: (session, answer) => void settle(meet('connect', session), answer),
    onAuth: (given, session, answer) => {
      const isRight = login === null || (given.username === login.username && given.password === login.password);
      meet('auth', session).then(
        () => answer(isRight ? null : new SmtpAnswer(535, '5.7.8 Authentication failed'), { user: given.username }),
        (error: Error) => answer(error),
      );
    },
    onMailFrom: (_address, session, answer) => void settle(meet('mail', session), answer),
    onRcptTo: ({ address }, session, answer) => void settle(meet('rcpt', session, address), answer),
    onData: (stream, session, answer) => void settle(take(stream, session), answer),
  });
  server.on('error', () => {}); // of one connection: its client hears of it
  server.server.on('connection', (socket) => {
    const { remotePort } = socket;
    if (remotePort === undefined) return;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
  });
  server.listen(options.port, host);
  await once(server.server, 'listening');
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('a mail server has no port');

  const dropAll = () => {
    for (const socket of sockets.values()) socket.destroy();
  };
  return {
    port: address.port,
    certificate: cert,
    dropAll,
    close: async () => {
      closing.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      dropAll();
      await closed;
    },
  };
}

/** All of it, after what may go wrong while it comes: with its first piece, when the client may still have more. */
async function readWhole(stream: SMTPServerDataStream, meet: () => Promise<void>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let meeting: Promise<void> | null = null;
  for await (const chunk of stream) {
    meeting ??= meet();
    meeting.catch(() => {}); // told below, when the client is ready to hear it
    chunks.push(chunk);
  }
  await meeting;
  return Buffer.concat(chunks);
}

function settle(work: Promise<void>, answer: (error?: Error | null) => void): Promise<void> {
  return work.then(
    () => answer(),
    (error: Error) => answer(error),
  );
}

async function makeCertificate() {
  const names = [
    { type: 2 as const, value: 'localhost' },
    { type: 7 as const, ip: '127.0.0.1' },
  ];
  // a name of its own each time: who trusts two of one name checks with the wrong one
  return generate([{ name: 'commonName', value: `twolane mail sandbox ${randomUUID()}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: names },
    ],
  });
}

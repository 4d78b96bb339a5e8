import { openQueueStore } from '../../queues/backend.ts';
import type { CaughtMail } from '../../sandbox/mail/mail-box.ts';
import { type MailSandbox, type MailSandboxOptions, startMailSandbox } from '../../sandbox/mail/mail-sandbox.ts';
import { openDatabase } from '../../src/db/pool.ts';
import type { EmailKind } from '../../src/domain/email.ts';
import { createLog } from '../../src/log.ts';
import { openMailer } from '../../src/mail/open-mailer.ts';
import { createAnnouncer } from '../../src/operations/announcer.ts';
import { mailSettingsOf } from '../../src/operations/mail-settings.ts';
import { openObjectStore } from '../../src/storage/open-object-store.ts';
import { type EmailWorkersDeps, startEmailWorkers } from '../../workers/email.ts';
import type { WorkerRole } from '../../workers/main.ts';
import type { Backend, Engine } from './engine.ts';
import { type MoneyEngine, startMoneyEngine } from './money.ts';
import { until } from './until.ts';

/** An engine that takes money and tells customers, with stand-ins for who moves the money and the mails. */
export interface MailEngine extends MoneyEngine {
  mail: MailSandbox;
  /** Until a mail of this kind has come about an order. */
  mailOf(kind: EmailKind, orderNumber: number): Promise<CaughtMail>;
  /** The kinds of all mails that came about an order, in their alphabet. */
  kindsOf(orderNumber: number): string[];
  /** Rows of mails, as the engine keeps them. */
  emails(): Promise<EmailRow[]>;
  /** Until no mail and no receipt is due, by the cursors and by the rows. */
  untilQuiet(): Promise<void>;
}

export interface EmailRow {
  id: string;
  kind: EmailKind;
  number: number;
  recipient: string;
  message_id: string;
  state: 'queued' | 'sent' | 'failed' | 'suppressed';
  tries: number;
  smtp_code: number | null;
  smtp_response: string | null;
  failure_code: string | null;
  failure_message: string | null;
}

export async function startMailEngine(
  backend: Backend,
  options: { roles?: WorkerRole[]; env?: Record<string, string>; mail?: MailSandboxOptions } = {},
): Promise<MailEngine> {
  const mail = await startMailSandbox(options.mail);
  const money = await startMoneyEngine(backend, {
    roles: options.roles ?? ['bots', 'payments', 'email', 'relay'],
    env: { ...mail.settings, SMTP_PER_SECOND: '0', SMTP_TIMEOUT: '2s', BOT_PROCESSING_MS: '20', ...options.env },
  });
  const { database } = money.engine;
  const isAbout = (one: CaughtMail, orderNumber: number) => new RegExp(`\\b${orderNumber}\\b`).test(one.subject);
  const emails = () =>
    database.query<EmailRow>(
      `SELECT id, kind, order_number::int AS number, recipient, message_id, state, tries, smtp_code, smtp_response, failure_code, failure_message
       FROM emails ORDER BY id`,
    );
  return {
    ...money,
    mail,
    mailOf: (kind, orderNumber) => mail.waitForMail((one) => one.kind === kind && isAbout(one, orderNumber), 20_000),
    kindsOf: (orderNumber) =>
      mail
        .mails()
        .filter((one) => isAbout(one, orderNumber))
        .map(({ kind }) => kind ?? 'unknown')
        .sort(),
    emails,
    async untilQuiet() {
      await until(
        'no mail and no receipt due',
        async () => {
          const [row] = await database.query<{ behind: boolean }>(`
          SELECT EXISTS (SELECT FROM order_events e, event_cursors c WHERE c.follower = 'emails of orders' AND (e.xid, e.id) > (c.xid, c.id))
              OR EXISTS (SELECT FROM payment_events e, event_cursors c WHERE c.follower = 'emails of payments' AND (e.xid, e.id) > (c.xid, c.id))
              OR (SELECT count(*) FROM event_cursors) < 2
              OR EXISTS (SELECT FROM emails WHERE state = 'queued')
              OR EXISTS (SELECT FROM outbox WHERE queue IN ('email', 'receipt'))
              OR EXISTS (SELECT FROM payments p WHERE captured_minor > 0 AND NOT EXISTS (SELECT FROM receipts r WHERE r.payment_id = p.id)) AS behind`);
          return row?.behind === false;
        },
        20_000,
      );
    },
    async close() {
      await money.close();
      await mail.close();
    },
  };
}

/** The workers of mail alone, with a pace of the test's own; what they need they open themselves. */
export async function startPost(engine: Engine, pace: EmailWorkersDeps['pace'] = {}) {
  const { config } = engine;
  const log = createLog(config.logLevel, 'test');
  const database = await openDatabase(config.databaseUrl, log);
  const store = openTestStore(engine);
  const settings = mailSettingsOf(config);
  const files =
    config.stores.files &&
    openObjectStore(config.stores.files, { publicUrl: settings.publicUrl, linkSecrets: settings.linkSecrets });
  if (!config.mail.smtp) throw new TypeError('this engine sends no mail');
  const mailer = openMailer(config.mail.smtp);
  const relayCall = createAnnouncer({ db: database.pool, log }, 'twolane_outbox');
  const sendsAtOnce = config.mail.smtp.connections;
  const deps = { pool: database.pool, store, files, mailer, settings, wakeRelay: relayCall.announce, log, pace };
  const workers = startEmailWorkers({ ...deps, sendsAtOnce });
  return {
    deps,
    mailer,
    async close() {
      await workers.close();
      files?.close();
      await relayCall.close();
      await store.close();
      await database.close();
    },
  };
}

export type Post = Awaited<ReturnType<typeof startPost>>;

/** The queues of an engine as another process sees them. */
export function openTestStore({ config }: Pick<Engine, 'config'>) {
  return openQueueStore({
    databaseUrl: config.databaseUrl,
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    role: 'worker',
    poolSize: 4,
    onError: () => undefined,
  });
}

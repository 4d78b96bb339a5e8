import { openMailer } from '../../src/mail/open-mailer.ts';
import { mailSettingsOf } from '../../src/operations/mail-settings.ts';
import { openObjectStore } from '../../src/storage/open-object-store.ts';
import { startEmailWorkers } from '../email.ts';
import { closeAll, type StartRole } from './role.ts';

/** Mails and receipts. Without a mail server receipts are made all the same, and without a files store mails are sent. */
export const start: StartRole = async ({ config, database, openStore, wakeRelay, log }) => {
  const { smtp } = config.mail;
  const settings = mailSettingsOf(config);
  const links = { publicUrl: settings.publicUrl, linkSecrets: config.tokens?.secrets ?? null };
  const files = config.stores.files && openObjectStore(config.stores.files, links);
  const mailer = smtp && openMailer(smtp);
  const workers = startEmailWorkers({
    pool: database.pool,
    store: openStore('worker', 4),
    files,
    mailer,
    settings,
    sendsAtOnce: smtp?.connections ?? 1,
    wakeRelay,
    log,
  });
  return closeAll(...(files ? [files] : []), ...(mailer ? [mailer] : []), workers);
};

import { isPassword } from '../accounts/password.ts';
import type { Db } from '../db/sql.ts';
import { listPasswordHashes } from '../db/users.ts';
import { StartUpError } from '../domain/start-up-error.ts';
import { sampleEmails, samplePassword } from '../domain/user.ts';

export class SampleAccountsError extends StartUpError {
  constructor() {
    super(
      `This database has sample accounts (${sampleEmails.join(', ')}) with the password of the demo, which everybody knows.\n` +
        'With ENV=production the web process does not start on it. Use a database of its own, or start it once with ENV=development,\n' +
        'add a manager of your own (`twolane users add`), and remove each of these accounts (`twolane users remove E-MAIL`).',
    );
    this.name = 'SampleAccountsError';
  }
}

/** Throws `SampleAccountsError` where somebody could sign in with the password that the README tells. */
export async function assertNoSampleAccounts(db: Db): Promise<void> {
  for (const passwordHash of await listPasswordHashes(db, sampleEmails)) {
    if (await isPassword(samplePassword, passwordHash)) throw new SampleAccountsError();
  }
}

import { isPassword } from '../accounts/password.ts';
import type { Db } from '../db/sql.ts';
import { listPasswordHashes } from '../db/users.ts';
import { sampleEmails, samplePassword } from '../domain/user.ts';

export class SampleAccountsError extends Error {
  constructor() {
    super(
      `This database has sample accounts (${sampleEmails.join(', ')}) with the password of the demo, which everybody knows.\n` +
        'With ENV=production the web process does not start on it: use a database of its own, or close these accounts.',
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

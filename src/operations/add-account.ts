import type { DatabasePool } from 'slonik';
import { hashPassword } from '../accounts/password.ts';
import { recordAudit } from '../db/audit-events.ts';
import { insertUser } from '../db/users.ts';
import type { AuditActor } from '../domain/audit.ts';
import { EmailTakenError } from '../domain/errors.ts';
import type { Role, User } from '../domain/user.ts';

export interface NewAccount {
  email: string;
  displayName: string;
  password: string;
  role: Role;
}

/** Adds an account; without an `actor` it registers itself. Throws `EmailTakenError`. */
export async function addAccount(
  pool: DatabasePool,
  { password, ...account }: NewAccount,
  { actor, address }: { actor: AuditActor | null; address: string },
): Promise<User> {
  const passwordHash = await hashPassword(password);
  return pool.transaction(async (transaction) => {
    const user = await insertUser(transaction, { ...account, passwordHash });
    if (!user) throw new EmailTakenError();
    await recordAudit(transaction, {
      action: actor ? 'account_added' : 'account_registered',
      actor: actor ?? { kind: 'user', id: user.id, name: user.email },
      subject: user.email,
      detail: { role: user.role },
      address,
    });
    return user;
  });
}

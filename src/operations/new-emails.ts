import { v7 as uuidv7 } from 'uuid';
import { emailQueue } from '../../queues/email.ts';
import type { DueEmail } from '../db/due-emails.ts';
import { insertEmails } from '../db/emails.ts';
import { addToOutbox } from '../db/outbox.ts';
import type { Db } from '../db/sql.ts';

/** News older than this is not told any more: by an engine that was away, or one that was restored. */
export const newsMaxAgeMs = 86_400_000;

/** Writes messages down with their jobs, each source once. Call inside a transaction, and wake the relay after it. Gives how many are new. */
export async function addEmails(transaction: Db, due: readonly DueEmail[], senderDomain: string): Promise<number> {
  const added = await insertEmails(
    transaction,
    due.map((email) => {
      const id = uuidv7();
      return { ...email, id, messageId: `<${id}@${senderDomain}>` };
    }),
  );
  if (added.length > 0)
    await addToOutbox(
      transaction,
      emailQueue.name,
      added.map((emailId) => ({ emailId })),
    );
  return added.length;
}

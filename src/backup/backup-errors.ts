/** What was read is not what was stored. Says what is wrong, and where. */
export class BackupDamagedError extends Error {
  readonly backup: string;

  constructor(backup: string, what: string, options?: ErrorOptions) {
    super(`Backup ${backup} is damaged: ${what}.`, options);
    this.name = 'BackupDamagedError';
    this.backup = backup;
  }
}

/** None of our keys opens it. */
export class BackupKeyError extends Error {
  /** The public half of the key that does. */
  readonly recipient: string;

  constructor(backup: string, recipient: string, ours: string[]) {
    const tried =
      ours.length === 0
        ? 'BACKUP_ENCRYPTION_KEY is not set'
        : `BACKUP_ENCRYPTION_KEY has the ${ours.length === 1 ? 'key' : 'keys'} of ${ours.join(', ')} alone`;
    super(
      `Backup ${backup} is encrypted for ${recipient}, and ${tried}. Add the key whose public half this is; keys go by commas.`,
    );
    this.name = 'BackupKeyError';
    this.recipient = recipient;
  }
}

/** Made by a version that knows more than this one. */
export class BackupTooNewError extends Error {
  constructor(backup: string, what: string) {
    super(
      `Backup ${backup} was made by another version: ${what}. Restore it with that version, or by its restore.sql with psql.`,
    );
    this.name = 'BackupTooNewError';
  }
}

/** The database has had a migration whose text we do not have, so no schema can be put into a backup of it. */
export class SchemaUnknownError extends Error {
  constructor(names: string[]) {
    super(
      `The database has had ${names.join(', ')}, which this version does not have like that. Let the version that migrated it make its backups.`,
    );
    this.name = 'SchemaUnknownError';
  }
}

/** There is something where a backup was to be restored. Nothing was changed. */
export class TargetNotEmptyError extends Error {
  constructor(schema: string, found: string[]) {
    const named = found.slice(0, 5).join(', ') + (found.length > 5 ? `, and ${found.length - 5} more` : '');
    super(
      `Schema ${schema} of this database is not empty (${named}), and a restore overwrites nothing. Restore into an empty database, or into an empty schema beside it.`,
    );
    this.name = 'TargetNotEmptyError';
  }
}

/** All rows are there, and something after them failed: the engine must not run on it as it is. */
export class RestoreUnfinishedError extends Error {
  constructor(cause: unknown) {
    super(
      `All rows were restored, and then something failed: ${(cause as Error).message} Empty the database and restore again, once that is put right.`,
      { cause },
    );
    this.name = 'RestoreUnfinishedError';
  }
}

/** Processes of the engine are connected to the queues that a restore would empty. Nothing was changed. */
export class EngineRunningError extends Error {
  constructor(queues: string[]) {
    super(
      `An engine is at work on the queues in Redis that this restore would empty (${queues.join(', ')}). Stop its processes first; or, for a copy beside it, name another QUEUE_PREFIX.`,
    );
    this.name = 'EngineRunningError';
  }
}

/** The scratch database cannot be made or has no room: nothing is said of the backup itself. */
export class ScratchUnavailableError extends Error {
  /** `not_allowed`: a role or setting has to change. `full`: no room. `away`: not reached, or lost on the way. */
  readonly reason: 'not_allowed' | 'full' | 'away';

  constructor(reason: ScratchUnavailableError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ScratchUnavailableError';
    this.reason = reason;
  }
}

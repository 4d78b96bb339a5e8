import type { Command } from 'commander';
import { listStoredBackups, type StoredBackup } from '../../backup/stored-backups.ts';
import { countText } from '../count-text.ts';
import { durationText } from '../duration.ts';
import { examples, wantsJson } from '../program-options.ts';
import { paint, printable, type Terminal, writeJson, writeLine, writeTable } from '../terminal.ts';
import { toldInWords } from './backup-failures.ts';
import { openBackupStore, readSettings } from './backup-settings.ts';
import { agoText, bytesText, minuteText } from './backup-text.ts';

export function addListCommand(backup: Command, terminal: Terminal): void {
  backup
    .command('list')
    .description('show what lies in the store; needs neither the engine nor its database')
    .addHelpText('after', examples(['twolane backup list', 'which there are, and which were verified']))
    .action(async (_options: object, command: Command) => {
      const config = await readSettings(terminal, null);
      const store = openBackupStore(config);
      try {
        const stored = await toldInWords(terminal, () => listStoredBackups(store));
        if (wantsJson(command)) return writeJson(terminal.stdout, { store: store.place, backups: stored.map(jsonOf) });
        writeList(terminal, store.place, stored);
      } finally {
        store.close();
      }
    });
}

const jsonOf = ({ name, storedBytes, manifest, fault, verification }: StoredBackup) => ({
  name,
  snapshotAt: manifest?.snapshotAt ?? null,
  verifiedAt: verification?.verifiedAt ?? null,
  storedBytes: manifest?.totals.storedBytes ?? storedBytes, // its parts, as runs tell it
  rows: manifest?.totals.rows ?? null,
  tables: manifest?.totals.tables ?? null,
  encryptedFor: manifest?.encryption?.recipient ?? null,
  restoreMs: verification?.restoreMs ?? null,
  fault,
});

function writeList({ stdout }: Terminal, place: string, stored: readonly StoredBackup[]): void {
  if (stored.length === 0) {
    writeLine(stdout, `there is no backup in ${printable(place)}`);
    return;
  }
  const now = new Date();
  writeTable(
    stdout,
    ['NAME', 'SNAPSHOT', 'AGE', 'STATE', 'ROWS', 'STORED', 'RESTORE', ''],
    stored
      .toReversed()
      .map(({ name, storedBytes, manifest, fault, verification }) => [
        printable(name),
        manifest ? minuteText(manifest.snapshotAt) : '',
        manifest ? agoText(manifest.snapshotAt, now) : '',
        fault ? paint(stdout, 'red', 'UNUSABLE') : verification ? paint(stdout, 'green', 'verified') : 'not verified',
        manifest ? manifest.totals.rows.toLocaleString('en') : '',
        bytesText(manifest?.totals.storedBytes ?? storedBytes),
        verification ? durationText(verification.restoreMs) : '',
        fault ? printable(fault) : manifest?.encryption ? 'encrypted' : 'not encrypted',
      ]),
  );
  const verified = stored.filter(({ verification }) => verification !== null).length;
  writeLine(stdout, `${countText(stored.length, 'backup')} in ${printable(place)}, ${verified} verified`);
}

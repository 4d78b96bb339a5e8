/** A process of its own that takes a backup and verifies it, and says how much memory that took: `backup-memory.ts DATABASE_URL FOLDER KEY`. */
import { makeBackupName } from '../../src/backup/backup-name.ts';
import { takeBackup } from '../../src/operations/take-backup.ts';
import { verifyBackup } from '../../src/operations/verify-backup.ts';
import { createDirectoryObjectStore } from '../../src/storage/directory-object-store.ts';

const mebibyte = 1024 * 1024;
const [databaseUrl = '', folder = '', key = ''] = process.argv.slice(2);
const store = createDirectoryObjectStore({ kind: 'directory', folder }, { publicUrl: '', linkSecrets: null });
const deps = { databaseUrl, store, keys: [key], compression: 'zstd' as const, scratchUrl: null };

const before = process.memoryUsage.rss();
let peak = before;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 2);
const name = makeBackupName();
const { totals } = await takeBackup(deps, { name });
const takePeak = peak;
peak = before;
await verifyBackup(deps, { name });
clearInterval(watch);
console.log(
  JSON.stringify({
    takeMebibytes: (takePeak - before) / mebibyte,
    verifyMebibytes: (peak - before) / mebibyte,
    csvMebibytes: totals.csvBytes / mebibyte,
    storedMebibytes: totals.storedBytes / mebibyte,
  }),
);

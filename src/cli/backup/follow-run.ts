import { z } from 'zod';
import { type Backup, backupSchema } from '../../domain/backup.ts';
import { askFor, pause, type Server } from '../api-client.ts';
import type { ProgressDisplay } from './show-progress.ts';

const answer = z.object({ backup: backupSchema });
const path = '/v1/admin/backups';
const pollMs = 500;

/** Has the engine make a backup, and follows it to its end; the one that is under way where there is one. */
export async function followRun(
  server: Server,
  progress: ProgressDisplay,
  onAsked: (backup: Backup) => void,
): Promise<{ backup: Backup; raw: unknown }> {
  const patient = { ...server, patience: { ...server.patience, unreachableMs: 60_000 } }; // a restart of the web process ends no backup
  // Asked twice, it is the same one.
  const asked = await askFor(server, { method: 'POST', path, as: 'admin', isRepeatable: true }, answer);
  onAsked(asked.value.backup);
  for (let { value, raw } = asked; ; ) {
    const { backup } = value;
    if (backup.phase && backup.progress) progress.show({ phase: backup.phase, ...backup.progress });
    if (backup.finishedAt !== null) {
      if (backup.state === 'verified') progress.end();
      return { backup, raw };
    }
    await pause(pollMs, server.signal);
    ({ value, raw } = await askFor(patient, { method: 'GET', path: `${path}/${backup.id}`, as: 'admin' }, answer));
  }
}

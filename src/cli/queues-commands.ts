import type { Command } from 'commander';
import { z } from 'zod';
import { queueStatusSchema } from '../domain/queue-status.ts';
import { askFor } from './api-client.ts';
import { durationText } from './duration.ts';
import { connectAsNobody, examples, needsAdmin, wantsJson } from './program-options.ts';
import { paint, printable, type Terminal, writeJson, writeLine, writeTable } from './terminal.ts';

const rebuildAnswer = z.object({ rebuilt: z.record(z.string(), z.int()) });
export function addQueuesCommands(program: Command, terminal: Terminal): void {
  const queues = program
    .command('queues')
    .description('look at the queues, or rebuild them from the database')
    .addHelpText(
      'after',
      examples(
        ['twolane queues status', 'all queues and the outbox'],
        ['twolane queues rebuild', 'after the queue store was wiped'],
      ),
    );
  queues
    .command('status')
    .description('show what each queue holds')
    .addHelpText('after', needsAdmin + examples(['twolane queues status', 'all queues and the outbox']))
    .action(async (_: object, command: Command) => {
      const server = await connectAsNobody(terminal, command);
      const { value, raw } = await askFor(
        server,
        { method: 'GET', path: '/v1/admin/queues', as: 'admin' },
        queueStatusSchema,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      writeStatus(terminal, value);
    });
  queues
    .command('rebuild')
    .description('put back everything that is due by the database’s account; harmless at any time')
    .addHelpText('after', needsAdmin + examples(['twolane queues rebuild', 'after the queue store was wiped']))
    .action(async (_: object, command: Command) => {
      const server = await connectAsNobody(terminal, command);
      const { value, raw } = await askFor(
        server,
        {
          method: 'POST',
          path: '/v1/admin/queues/rebuild',
          as: 'admin',
          whenLost: 'repeating it is harmless',
        },
        rebuildAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      const counts = Object.entries(value.rebuilt).map(([lane, count]) => `${lane} ${count}`);
      writeLine(terminal.stdout, `rebuilt from the database: ${counts.join(', ')}`);
    });
}

function writeStatus(
  { stdout }: Terminal,
  { backend, marker, queues, outbox }: z.infer<typeof queueStatusSchema>,
): void {
  const markerText = typeof marker === 'string' ? marker : JSON.stringify(marker);
  writeLine(stdout, `backend ${backend}, marker ${printable(markerText ?? 'missing')}`);
  writeTable(
    stdout,
    ['QUEUE', 'WAITING', 'ACTIVE', 'DELAYED', 'FAILED', 'COMPLETED', ''],
    queues.map(({ name, waiting, active, delayed, failed, completed, paused }) => [
      name,
      ...[waiting, active, delayed].map(String),
      failed > 0 ? paint(stdout, 'red', String(failed)) : '0',
      String(completed),
      paused === true || (typeof paused === 'number' && paused > 0) ? paint(stdout, 'yellow', 'PAUSED') : '',
    ]),
  );
  const age = outbox.oldestSeconds === null ? '' : `, the oldest for ${durationText(outbox.oldestSeconds * 1_000)}`;
  writeLine(stdout, `outbox: ${outbox.waiting} waiting${outbox.waiting > 0 ? age : ''}`);
}

import { type Command, InvalidArgumentError } from 'commander';
import type { Difference, ReconciliationRun } from '../../domain/reconciliation.ts';
import { countText } from '../count-text.ts';
import { moneyText } from '../currency.ts';
import { parseDurationMs } from '../duration.ts';
import { exitCodes } from '../failures.ts';
import { connectAsNobody, examples, needsAdmin, wantsJson } from '../program-options.ts';
import { type Output, paint, printable, type Terminal, writeJson, writeLine, writeTable } from '../terminal.ts';
import { reconcile } from './reconcile-call.ts';
import { addRetryCommand } from './retry-command.ts';
import { showRuns } from './run-progress.ts';

export function addPaymentsCommands(program: Command, terminal: Terminal, outcome: { exitCode: number }): void {
  const payments = program
    .command('payments')
    .description('compare the ledger with the payment providers, and try again what they refused')
    .addHelpText(
      'after',
      examples(
        ['twolane payments reconcile', 'does all the money agree?'],
        ['twolane payments retry 1001', 'once the reason of a refusal is gone'],
      ),
    );
  addRetryCommand(payments, terminal);
  payments
    .command('reconcile')
    .description('compare the ledger with Stripe and PayPal now, and list what does not agree')
    .option('--since <time>', 'from when on: 2d, 36h, or a time such as 2026-03-01T00:00Z', parseMoment)
    .option('--until <time>', 'up to when (default: as late as the providers’ books are complete)', parseMoment)
    .addHelpText(
      'after',
      '\nIt is done once a day by itself, for the last two days. Exit code 1 when something does not agree or a provider could not be asked.' +
        needsAdmin +
        examples(
          ['twolane payments reconcile', 'the last two days, and what was open'],
          ['twolane payments reconcile --since 30d', 'a whole month'],
        ),
    )
    .action(async (options: { since?: Date; until?: Date }, command: Command) => {
      const json = wantsJson(command);
      const server = await connectAsNobody(terminal, command);
      const progress = showRuns(json ? terminal.stderr : terminal.stdout);
      let done: Awaited<ReturnType<typeof reconcile>>;
      try {
        done = await reconcile(server, { from: options.since, to: options.until }, progress.show);
      } finally {
        progress.close();
      }
      const open = done.differences.filter(({ resolvedAt }) => resolvedAt === null);
      if (json) writeJson(terminal.stdout, done.raw);
      else writeOutcome(terminal.stdout, done.runs, open);
      const isGood = open.length === 0 && done.runs.every(({ state }) => state === 'done');
      outcome.exitCode = isGood ? exitCodes.ok : exitCodes.failed;
    });
}

function writeOutcome(output: Output, runs: readonly ReconciliationRun[], open: readonly Difference[]): void {
  const unread = runs.filter(({ state }) => state !== 'done').map(({ provider }) => provider);
  if (open.length > 0) writeDifferences(output, open);
  else if (runs.length === 0)
    writeLine(output, 'nothing was compared: no payment provider is set up, and no payment of one is open');
  else if (unread.length > 0)
    writeLine(output, `nothing is open, but ${unread.join(' and ')} could not be compared to the end`);
  else if (runs.every(({ compared, movements }) => compared === 0 && movements === 0))
    writeLine(output, 'nothing is open, and nothing was compared: there was no payment in that time');
  else writeLine(output, 'nothing is open: what was compared agrees');
}

function writeDifferences(output: Output, differences: readonly Difference[]): void {
  writeLine(output);
  writeTable(
    output,
    ['#', 'PROVIDER', 'ORDER', 'WHAT', 'OURS', 'THEIRS', 'REFERENCE', 'FOR'],
    differences.map(({ provider, orderNumber, kind, about, ours, theirs, reference, owner }, index) => [
      String(index + 1),
      provider,
      orderNumber === null ? '' : String(orderNumber),
      paint(output, 'red', printable(`${about}: ${kind.replaceAll('_', ' ')}`)),
      ours ? moneyText(ours) : '',
      theirs ? moneyText(theirs) : '',
      printable(reference),
      owner,
    ]),
  );
  writeLine(output);
  for (const [index, { whatToDo }] of differences.entries()) writeLine(output, printable(`${index + 1}. ${whatToDo}`));
  writeLine(output);
  writeLine(output, `${countText(differences.length, 'difference')} to settle`);
}

/** `2d` ago, or a time; without a zone, in that of this machine. */
function parseMoment(text: string): Date {
  const agoMs = parseDurationMs(text);
  const at =
    agoMs === undefined ? new Date(/^\d{4}-\d\d-\d\d/.test(text) ? text : Number.NaN) : new Date(Date.now() - agoMs);
  if (Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('Not a duration such as 2d, nor a time such as 2026-03-01.');
  return at;
}

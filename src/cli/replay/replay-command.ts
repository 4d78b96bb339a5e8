import { type Command, InvalidArgumentError, Option } from 'commander';
import { currencySchema } from '../../domain/money.ts';
import type { Server } from '../api-client.ts';
import { CliError, exitCodes } from '../failures.ts';
import { accounts, connect, examples, parseDuration, parsePositive, wantsJson } from '../program-options.ts';
import { type Terminal, writeJson } from '../terminal.ts';
import { mayChooseLane, readRole } from '../who-speaks.ts';
import { replayDay } from './replay-day.ts';
import type { ReplayReport } from './replay-report.ts';
import { writeReport } from './report-text.ts';
import { tillColumns } from './till-lines.ts';

interface ReplayOptions {
  speed: number;
  wait: number | false;
  service?: number;
  importProducts?: boolean;
  currency?: string;
  again?: string;
  untilDone?: false;
}

const defaultWaitMs = 180_000;

export function addReplayCommand(program: Command, terminal: Terminal, outcome: { exitCode: number }): void {
  program
    .command('replay')
    .description('send a day of your own, exported from the till, through the engine, and report on it')
    .argument('<file.csv>', `one line an item, columns in any order: ${tillColumns.join(', ')}`)
    .option('--speed <factor>', 'how many times as fast as the file', parsePositive, 60)
    .addOption(
      new Option('--wait <duration>', 'the wait, in the file’s time, to find the number of bots for')
        .argParser(parseDuration)
        .default(defaultWaitMs, '3m'),
    )
    .option('--service <duration>', 'what an order takes in your shop, instead of what was measured', parseDuration)
    .option('--import-products', 'add skus that the catalogue lacks, at the file’s price')
    .option('--currency <code>', 'of the file’s prices (default: the catalogue’s)', parseCurrency)
    .option('--again <word>', 'send a file anew that was sent before', parseAgain)
    .addOption(new NoWaitOption('--no-wait', 'end when all is sent, not when all is done'))
    .addHelpText(
      'after',
      `\nOrders are sent as ${accounts.manager} unless --as says otherwise. placed_at is ISO 8601 or YYYY-MM-DD HH:MM[:SS].` +
        '\nA replay that was stopped goes on where it was when it is started again: no order is sent twice.' +
        '\nExit code 1 when a line or an order was refused or failed, though the rest went through.\n' +
        examples(
          ['twolane replay docs/examples/a-saturday.csv', 'a café’s Saturday in eleven minutes'],
          ['twolane replay day.csv --speed 600 --import-products', 'your own day, with your own products'],
          ['twolane replay day.csv --service 90s --wait 5m', 'how many bots keep five minutes?'],
          ['twolane replay day.csv --again tuesday --json > report.json', 'once more, for a script'],
        ),
    )
    .action(async (file: string, options: ReplayOptions, command: Command) => {
      const json = wantsJson(command);
      const server = await connect(terminal, command, accounts.manager);
      await assertChoosesLanes(server);
      const { report, failure } = await replayDay(terminal, server, {
        file,
        speed: options.speed,
        waitMs: options.wait === false ? defaultWaitMs : options.wait,
        serviceMs: options.service,
        importProducts: options.importProducts === true,
        currency: options.currency,
        again: options.again,
        untilDone: options.untilDone !== false,
        json,
      });
      if (json) writeJson(terminal.stdout, report);
      else writeReport(terminal.stdout, report);
      if (failure) throw failure;
      outcome.exitCode = exitCodeOf(report);
    });
}

/** Else the first order would be refused, after everything else was said and done. */
async function assertChoosesLanes(server: Server & { user: string }): Promise<void> {
  const role = await readRole(server);
  if (mayChooseLane(role)) return;
  throw new CliError(`${server.user} is ${role}: a day of orders in both lanes is for a manager to send`, [
    `name a manager with --as (in the demo: --as ${accounts.manager})`,
  ]);
}

function exitCodeOf({ isInterrupted, refusedLines, refusedOrders, day }: ReplayReport): number {
  if (isInterrupted) return exitCodes.interrupted;
  return refusedLines.length + refusedOrders.length + day.ended.failed > 0 ? exitCodes.failed : exitCodes.ok;
}

/** Commander would take `--no-wait` for the opposite of `--wait <duration>`; they are two things. */
class NoWaitOption extends Option {
  override attributeName(): string {
    return 'untilDone';
  }
}

function parseCurrency(text: string): string {
  const currency = currencySchema.safeParse(text.toUpperCase());
  if (!currency.success) throw new InvalidArgumentError('Not a currency such as EUR.');
  return currency.data;
}

function parseAgain(text: string): string {
  if (!/^[A-Za-z0-9_]{1,32}$/.test(text)) throw new InvalidArgumentError('Up to 32 letters, digits and _.');
  return text;
}

import { Command, CommanderError } from 'commander';
import { addAccountCommands } from './accounts/account-commands.ts';
import { addUsersCommands } from './accounts/users-commands.ts';
import { addBackupCommands } from './backup/backup-commands.ts';
import { addBoardCommand } from './board/board-command.ts';
import { addBotsCommands } from './bots-commands.ts';
import { asCalled } from './called-as.ts';
import { CliError, exitCodes } from './failures.ts';
import { addMediaCommands } from './media/media-commands.ts';
import { addOrdersCommands } from './orders-commands.ts';
import { addPaymentsCommands } from './payments/payments-commands.ts';
import { addProductsCommands } from './products/products-commands.ts';
import { examples } from './program-options.ts';
import { addQueuesCommands } from './queues-commands.ts';
import { addReplayCommand } from './replay/replay-command.ts';
import { addSimulateCommand } from './simulate/simulate-command.ts';
import { paint, printable, type Terminal, writeLine } from './terminal.ts';

/** Runs one command line and gives the exit code. Whatever fails is said on stderr. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  const outcome = { exitCode: exitCodes.ok as number };
  try {
    await buildProgram(terminal, outcome).parseAsync(args, { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.badUsage; // commander has said what
    if (!(error instanceof CliError)) throw error;
    if (error.exitCode !== exitCodes.interrupted) sayFailure(terminal, error);
    return error.exitCode;
  }
}

function buildProgram(terminal: Terminal, outcome: { exitCode: number }): Command {
  const program = new Command('twolane')
    .description('an order-processing engine with a fast lane')
    .option(
      '--url <url>',
      'the server (default: TWOLANE_URL, else what `npm start` runs here, else http://127.0.0.1:PORT, or :3000)',
    )
    .option('--as <e-mail>', 'the account to speak as (default: who is signed in, else here a sample account)')
    .option('--json', 'only JSON on stdout')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(asCalled(terminal, text)),
      writeErr: (text) => terminal.stderr.write(asCalled(terminal, text)),
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
    })
    .exitOverride()
    .showHelpAfterError('(--help shows how)')
    .addHelpText(
      'after',
      `${examples(
        ['twolane orders place --item espresso:2', 'place an order'],
        ['twolane board', 'watch it being done'],
        ['twolane replay docs/examples/a-saturday.csv', 'a whole day of a café, in ten minutes'],
        ['twolane simulate', 'the classic shift, without a server'],
      )}\n\nExit codes: 0 done, 1 refused or failed, 2 bad usage, 3 no server, 130 stopped by Ctrl-C.`,
    );
  addOrdersCommands(program, terminal);
  addBotsCommands(program, terminal);
  addBoardCommand(program, terminal);
  addProductsCommands(program, terminal, outcome);
  addMediaCommands(program, terminal);
  addPaymentsCommands(program, terminal, outcome);
  addAccountCommands(program, terminal);
  addUsersCommands(program, terminal);
  addQueuesCommands(program, terminal);
  addBackupCommands(program, terminal);
  addReplayCommand(program, terminal, outcome);
  addSimulateCommand(program, terminal, outcome);
  return program;
}

function sayFailure(terminal: Terminal, error: CliError): void {
  const { stderr } = terminal;
  writeLine(stderr, `${paint(stderr, 'red', 'twolane:')} ${printable(error.message)}`);
  for (const hint of error.hints) writeLine(stderr, `  ${asCalled(terminal, printable(hint))}`);
}

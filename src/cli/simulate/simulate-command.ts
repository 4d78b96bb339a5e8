import { type Command, InvalidArgumentError } from 'commander';
import { keepInMemory } from '../accounts/session-file.ts';
import { SignIn } from '../accounts/sign-in.ts';
import { CliError, exitCodes, InterruptedError } from '../failures.ts';
import { accounts, examples, parsePositive, wantsJson } from '../program-options.ts';
import { type Output, paint, type Terminal, writeJson, writeLine } from '../terminal.ts';
import { runClassicShift } from './classic-shift.ts';
import { Shift } from './shift.ts';
import { startShiftEngine } from './shift-engine.ts';
import { ShiftLog } from './shift-log.ts';
import { openShiftPostgres } from './shift-postgres.ts';
import { judgeShift } from './shift-record.ts';
import { type ShiftSummary, summarizeShift, writeSummary } from './shift-summary.ts';

const processingMs = 10_000;
const removals = ['idle', 'mid-order'] as const;
const titles = {
  idle: 'Run 1: a bot is removed while it is idle',
  'mid-order': 'Run 2: a bot is removed in the middle of an order',
};

export function addSimulateCommand(program: Command, terminal: Terminal, outcome: { exitCode: number }): void {
  program
    .command('simulate')
    .description('the classic shift on the real engine: needs no server, leaves nothing behind')
    .option('--speed <factor>', 'shorten the 10 s that a bot takes for an order, up to 100 times', parseSpeed, 1)
    .addHelpText(
      'after',
      '\nStarts the whole engine in this process, on a scratch database: of DATABASE_URL if that is set, else of a private Postgres.' +
        '\nExit code 1 when the shift did not go as it must.\n' +
        examples(['twolane simulate', 'two shifts, 50 seconds'], ['twolane simulate --speed 20', 'the same in three']),
    )
    .action(async ({ speed }: { speed: number }, command: Command) => {
      const json = wantsJson(command);
      const talk = json ? terminal.stderr : terminal.stdout;
      const summaries = await simulate(terminal, talk, Math.max(1, Math.round(processingMs / speed)));
      const isRight = summaries.every(({ expectations }) => expectations.every(({ isMet }) => isMet));
      if (json) writeJson(terminal.stdout, { isRight, runs: summaries });
      outcome.exitCode = isRight ? exitCodes.ok : exitCodes.failed;
    });
}

async function simulate(terminal: Terminal, talk: Output, botMs: number): Promise<ShiftSummary[]> {
  const postgres = await openShiftPostgres(terminal, (line) => writeLine(terminal.stderr, line));
  try {
    const summaries: ShiftSummary[] = [];
    for (const removal of removals) {
      writeLine(talk, paint(talk, 'bold', titles[removal]));
      const summary = await runShift(terminal, talk, postgres.url, { removal, processingMs: botMs });
      writeSummary(talk, summary);
      summaries.push(summary);
    }
    return summaries;
  } finally {
    await postgres.close();
  }
}

async function runShift(
  terminal: Terminal,
  talk: Output,
  postgresUrl: string,
  options: { removal: (typeof removals)[number]; processingMs: number },
): Promise<ShiftSummary> {
  if (terminal.signal.aborted) throw new InterruptedError();
  const engine = await startShiftEngine(postgresUrl, options.processingMs);
  const log = new ShiftLog(talk);
  const server = {
    url: engine.url,
    user: accounts.manager,
    tokens: new SignIn(keepInMemory()), // the engine is gone afterwards, and its sessions with it
    env: terminal.env,
    signal: terminal.signal,
    patience: { overloadedMs: 5_000, unreachableMs: 0 },
  };
  const shift = new Shift(server, log, 6 * options.processingMs + 30_000);
  try {
    const failure = await playShift(shift, log, options);
    const expectations = judgeShift(shift.record, options.processingMs);
    const hasReturned = shift.record.returned !== null;
    expectations.push({
      text: `the bot was removed ${options.removal}`,
      isMet: hasReturned === (options.removal === 'mid-order'),
    });
    if (failure) expectations.push({ text: [failure.message, ...failure.hints].join('; '), isMet: false });
    return summarizeShift(titles[options.removal], shift, log, expectations);
  } finally {
    await shift.close();
    await engine.close();
  }
}

/** What ended the shift before its time, if anything did: the summary then shows how far it came. */
async function playShift(
  shift: Shift,
  log: ShiftLog,
  options: Parameters<typeof runClassicShift>[2],
): Promise<CliError | undefined> {
  try {
    await shift.begin();
    await runClassicShift(shift, log, options);
    return undefined;
  } catch (error) {
    if (error instanceof CliError && !(error instanceof InterruptedError)) return error;
    throw error;
  }
}

/** Beyond it an order is over before anybody could be told that it has begun, and no bot is caught in the middle of one. */
const highestSpeed = 100;

function parseSpeed(text: string): number {
  const speed = parsePositive(text);
  if (speed > highestSpeed) throw new InvalidArgumentError(`At most ${highestSpeed}.`);
  return speed;
}

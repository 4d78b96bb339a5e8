import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { endWithUs } from '../sandbox/end-with-us.ts';
import { findFreePort } from '../sandbox/free-port.ts';
import { notesName, type RunNotes } from '../test/support/stuck-files.ts';

const ownRoot = path.dirname(import.meta.dirname);
/** The longest file takes two minutes. */
const fileLimitMs = 8 * 60_000;

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; assertionResults: { status: string }[] }[];
}

export interface VitestOptions {
  /** Of whose configuration and files. */
  root?: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Where the JSON report goes. */
  report: string;
  /** For what is needed meanwhile. */
  folder: string;
  isSilent?: boolean;
}

/**
 * Runs vitest; gives its exit code. In a run of everything, a file that got stuck is run a second time by itself, and counts as it ends
 * then: where it was stuck is printed, and so is every test that passed at its second try only.
 */
export async function runVitest(options: VitestOptions): Promise<number> {
  const { code, notes } = await runOnce(options, options.report);
  tellSecondTries(notes);
  if (notes.stuck.length === 0 || options.args.length > 0) return code;
  console.error(`run again: ${notes.stuck.join(', ')}`);
  const again = path.join(options.folder, 'again.json');
  const second = await runOnce({ ...options, args: notes.stuck }, again);
  tellSecondTries(second.notes);
  const whole = merge(readReport(options.report), readReport(again), notes.stuck);
  writeFileSync(options.report, JSON.stringify(whole));
  const isGood = notes.otherErrors === 0 && whole.testResults.every(({ status }) => status === 'passed');
  return isGood && second.notes.stuck.length === 0 ? second.code : 1;
}

async function runOnce(
  { root = ownRoot, args, env, folder, isSilent = false }: VitestOptions,
  report: string,
): Promise<{ code: number; notes: RunNotes }> {
  mkdirSync(folder, { recursive: true });
  const inspectPort = await findFreePort();
  const notesFolder = mkdtempSync(path.join(folder, 'notes-'));
  const vitest = spawn(
    process.execPath,
    [
      path.join(ownRoot, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      `--reporter=${path.join(ownRoot, 'test/support/stuck-files.ts')}`,
      `--execArgv=--inspect-port=${inspectPort}`, // opened by who is asked where it stands
      // A machine that others share stands still now and then for longer than a test of time allows. What passes only then is listed.
      ...(process.env.CI ? ['--retry=1'] : []),
      ...args,
    ],
    {
      cwd: root,
      stdio: isSilent ? 'ignore' : 'inherit',
      env: {
        TEST_FILE_LIMIT_MS: String(fileLimitMs),
        ...process.env,
        ...env,
        TEST_NOTES: notesFolder,
        TEST_INSPECT_PORT: String(inspectPort),
      },
    },
  );
  const callOff = vitest.pid === undefined ? () => {} : endWithUs(vitest.pid, 'TERM');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => vitest.kill(signal));
  const [code] = await once(vitest, 'exit');
  callOff();
  return { code: code ?? 1, notes: readJson(path.join(notesFolder, notesName)) ?? noNotes };
}

const noNotes: RunNotes = { stuck: [], atSecondTry: [], otherErrors: 0 };

function tellSecondTries({ atSecondTry }: RunNotes): void {
  for (const test of atSecondTry) console.error(`passed at the second try: ${test}`);
}

const readReport = (file: string): Report =>
  readJson(file) ?? { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0, testResults: [] };

function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** The second result of the files that were run twice. */
function merge(first: Report, second: Report, twice: readonly string[]): Report {
  const testResults = [...first.testResults.filter(({ name }) => !twice.includes(name)), ...second.testResults];
  const statuses = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const count = (...wanted: string[]) => statuses.filter((status) => wanted.includes(status)).length;
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('skipped', 'pending', 'disabled'),
    numTodoTests: count('todo'),
    testResults,
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { endWithUs } from '../../sandbox/end-with-us.ts';
import type { Output } from './output.ts';
import type { ProcfileLine } from './procfile.ts';

const firstDelayMs = 250;
const longestDelayMs = 30_000;
const settledAfterMs = 60_000; // one that ran this long starts with a short delay again
const hopeless = { deaths: 3, withinMs: 10_000 };
const linesKept = 15;
/** What ours say when they are up. A log level may hide it: then it is up when it has lived this long. */
const upWords = /\b(listening|started)\b/;
const settledMs = 2_000;

export type ProcessContext = { root: string; variables: NodeJS.ProcessEnv; output: Output };

/** A line of the Procfile as a running process: node without npm around it, so that signals and its end are its own. */
function spawnLine(
  { name, command }: ProcfileLine,
  { root, variables, output }: ProcessContext,
  onLine: (text: string) => void = () => {},
) {
  const [program = '', ...args] = command.split(/\s+/);
  const options = {
    cwd: root,
    env: variables,
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C is for us: we stop it, once, and in our order
  };
  const child =
    program === 'node' ? spawn(process.execPath, args, options) : spawn('/bin/sh', ['-c', command], options);
  const callOff = child.pid === undefined ? () => {} : endWithUs(child.pid, 'TERM');
  child.once('exit', callOff);
  const lastLines: string[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[stream] }).on('line', (text) => {
      output.line(name, text, stream);
      onLine(text);
      lastLines.push(text);
      if (lastLines.length > linesKept) lastLines.shift();
    });
  }
  return { child, lastLines };
}

/** Not `exit`: its last lines come first. */
async function waitForEnd(child: ChildProcess): Promise<string> {
  const [code, signal] = await once(child, 'close');
  return signal ?? `code ${code}`;
}

/** A line that does its work and ends. Throws when it fails. */
export async function runToEnd(line: ProcfileLine, context: ProcessContext, aborted: AbortSignal): Promise<void> {
  const { child } = spawnLine(line, context);
  const stop = () => child.kill('SIGTERM');
  aborted.addEventListener('abort', stop);
  const end = await waitForEnd(child);
  aborted.removeEventListener('abort', stop);
  if (end !== 'code 0') throw new Error(`\`${line.command}\` ended with ${end}`);
}

/** Keeps a line of the Procfile running until it is stopped, and says when it dies. */
export class SupervisedProcess {
  readonly #line: ProcfileLine;
  readonly name: string;
  readonly #context: ProcessContext;
  readonly #onHopeless: (reason: string) => void;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  readonly #firstStart = performance.now();
  #deaths = 0;
  #delayMs = firstDelayMs;
  #isStopping = false;
  #isUp = false;
  #settled: NodeJS.Timeout | undefined;

  /** `onHopeless` is told, with its last lines, when it dies again and again at the start. */
  constructor(line: ProcfileLine, context: ProcessContext, onHopeless: (reason: string) => void) {
    this.#line = line;
    this.name = line.name;
    this.#context = context;
    this.#onHopeless = onHopeless;
    this.#start();
  }

  #start(): void {
    const startedAt = performance.now();
    const noteUp = () => {
      this.#isUp = true;
    };
    const { child, lastLines } = spawnLine(this.#line, this.#context, (text) => {
      if (upWords.test(text)) noteUp();
    });
    this.#child = child;
    this.#settled = setTimeout(noteUp, settledMs);
    child.once('exit', () => {
      clearTimeout(this.#settled);
      this.#isUp = false;
    });
    this.#ended = waitForEnd(child).then((end) => {
      this.#child = undefined;
      this.#isUp = false; // its last words came after its end
      if (this.#isStopping) return;
      if (performance.now() - startedAt > settledAfterMs) this.#delayMs = firstDelayMs;
      this.#noteDeath(end, lastLines);
      if (this.#isStopping) return; // that was too many
      this.#restart = setTimeout(() => this.#start(), this.#delayMs);
      this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
    });
  }

  #noteDeath(end: string, lastLines: string[]): void {
    const { name } = this.#line;
    this.#deaths += 1;
    const isAtStart = performance.now() - this.#firstStart < hopeless.withinMs;
    if (isAtStart && this.#deaths >= hopeless.deaths) {
      const said = `Its last lines:\n${lastLines.join('\n')}`;
      this.#onHopeless(`${name} ended ${this.#deaths} times within ${hopeless.withinMs / 1000} s, giving up. ${said}`);
    } else {
      this.#context.output.complain(`${name} ended with ${end}; starting it again in ${this.#delayMs / 1000} s`);
    }
  }

  /** It runs, and has said that it is ready for work. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Asks it to end, and waits for that; after `graceMs` it is killed. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    this.#child?.kill('SIGTERM');
    const patience = setTimeout(() => {
      this.#context.output.complain(`${this.#line.name} did not stop within ${graceMs / 1000} s, killing it`);
      this.kill();
    }, graceMs);
    await this.#ended;
    clearTimeout(patience);
  }

  /** For good. */
  kill(): void {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    this.#child?.kill('SIGKILL');
  }
}

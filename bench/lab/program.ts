import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { endWithUs } from '../../sandbox/end-with-us.ts';
import { parseProcfile } from '../../scripts/start/procfile.ts';

/** A process under test. */
export interface Program<Ready> {
  pid: number;
  /** What it said when it was ready. */
  ready: Ready;
  /** Tells one of our own programs (see serve-bench.ts) to do its work; gives what it found. */
  go<Result>(): Promise<Result>;
  /** Warnings and errors that it logged. */
  complaints: string[];
  /** Asks it to end, and waits for that. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

export interface ProgramOptions {
  /** From the root of the project. */
  file: string;
  args?: string[];
  /** Whose flags of Node it runs with, by the Procfile: naive and ours alike. */
  role: 'web' | 'bots' | 'backup';
  /** All that it sees of an environment, beside PATH. */
  env: Record<string, string>;
  /** For programs of the engine: the constant message of the log line that says it is ready. */
  readyMessage?: string;
}

/** The young generation's size says how much memory a process holds under load (docs/benchmarks.md). */
function flagsOf(role: string): string[] {
  const command = parseProcfile(readFileSync(path.join(root, 'Procfile'), 'utf8')).find(
    ({ name }) => name === role,
  )?.command;
  return command?.split(/\s+/).filter((word) => word.startsWith('--')) ?? [];
}

const root = path.dirname(path.dirname(import.meta.dirname));
const stopWithinMs = 15_000;

export async function startProgram<Ready = unknown>(options: ProgramOptions): Promise<Program<Ready>> {
  const { file, args = [], env, readyMessage, role } = options;
  const child = fork(path.join(root, file), args, {
    cwd: root,
    execArgv: flagsOf(role),
    silent: true,
    env: { PATH: process.env.PATH ?? '', TMPDIR: process.env.TMPDIR, ...env },
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${file} could not be started`, { cause: (await once(child, 'error'))[0] });
  const callOff = endWithUs(pid, 'TERM');
  const said: string[] = [];
  const complaints: string[] = [];
  let isEndExpected = false;

  const ready = new Promise<Ready>((resolve) => {
    child.once('message', (message) => resolve(message as Ready)); // what serveBench was given
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (said.push(line) > 20) said.shift();
        if (/"level":"(warn|error|fatal)"/.test(line)) complaints.push(line);
        if (readyMessage && line.includes(`"msg":"${readyMessage}"`)) resolve(undefined as Ready);
      });
    }
  });
  const ended = once(child, 'exit');
  const failed = ended.then(([code, signal]) => {
    callOff();
    if (!isEndExpected) throw new Error(`${file} ended with ${signal ?? code}:\n${said.join('\n')}`);
    return new Promise<never>(() => {});
  });
  failed.catch(() => undefined); // seen by whoever waits for the program at that time

  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    isEndExpected = true;
    child.kill(signal);
    const impatience = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    await ended;
    clearTimeout(impatience);
  };
  return {
    pid,
    ready: await Promise.race([ready, failed]),
    go: <Result>() => {
      const result = once(child, 'message').then(([message]) => message as Result); // what serveBench's work gave
      child.send('go');
      return Promise.race([result, failed]);
    },
    complaints,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

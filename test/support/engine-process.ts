import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerRole } from '../../workers/main.ts';

const root = path.dirname(path.dirname(import.meta.dirname));

/** Far longer than any process takes, also on a machine that is busy. */
const lineWithinMs = 60_000;

export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process of the engine as it runs in production, to be killed, frozen or stopped. */
export interface EngineProcess {
  pid: number;
  /** Everything it said so far, line by line. */
  lines: string[];
  ended: Promise<ProcessEnd>;
  signal(name: NodeJS.Signals): void;
  /** The first line that matches, said already or yet to come. Fails when the process ends without it, or does not come to it. */
  untilLine(pattern: RegExp): Promise<string>;
}

const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export function startProcess(program: string[], environment: Record<string, string>): EngineProcess {
  const child = spawn(process.execPath, program, {
    cwd: root,
    env: { PATH: process.env.PATH, LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  living.add(child);
  const lines: string[] = [];
  const heard = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (process.env.TEST_LOG_LEVEL) process.stderr.write(`${child.pid} ${line}\n`);
      lines.push(line);
      for (const hear of heard) hear(line);
    });
  }
  const ended = once(child, 'close').then(([code, signal]): ProcessEnd => {
    living.delete(child);
    return { code, signal };
  });
  return {
    pid: child.pid ?? 0,
    lines,
    ended,
    signal(name) {
      child.kill(name);
    },
    async untilLine(pattern) {
      const said = lines.find((line) => pattern.test(line));
      if (said) return said;
      let stopHearing = () => {};
      const line = new Promise<string>((resolve) => {
        const hear = (next: string) => pattern.test(next) && resolve(next);
        heard.add(hear);
        stopHearing = () => heard.delete(hear);
      });
      const end = ended.then(({ code, signal }) => {
        throw new Error(`${program.join(' ')} ended (${signal ?? code}) without ${pattern}:\n${lines.join('\n')}`);
      });
      const silence = delay(lineWithinMs, undefined, { ref: false }).then(() => {
        throw new Error(`${program.join(' ')} did not say ${pattern} within ${lineWithinMs} ms:\n${lines.join('\n')}`);
      });
      return Promise.race([line, end, silence]).finally(stopHearing);
    },
  };
}

/** A worker process with the given roles, ready. */
export async function startWorkerProcess(
  roles: WorkerRole[],
  environment: Record<string, string>,
): Promise<EngineProcess> {
  const started = startProcess(['workers/main.ts', ...roles], { ...environment, LOG_LEVEL: 'info' });
  await started.untilLine(/"workers started"/);
  return started;
}

/** A web process that listens, and where. */
export async function startWebProcess(environment: Record<string, string>): Promise<EngineProcess & { url: string }> {
  const started = startProcess(['src/server.ts'], { ...environment, LOG_LEVEL: 'info' });
  const line = await started.untilLine(/"web listening"/);
  return { ...started, url: (JSON.parse(line) as { url: string }).url };
}

/** Ends what a test has started, whatever state it is in. */
export async function killAll(processes: readonly EngineProcess[]): Promise<void> {
  for (const one of processes) one.signal('SIGKILL');
  await Promise.all(processes.map((one) => one.ended));
}

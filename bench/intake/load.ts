import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { ensureDebianPackage } from '../../sandbox/debian-package.ts';

/** What a load of orders met with. */
export interface Load {
  /** Orders that were answered with a success. */
  answers: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

const script = path.join(import.meta.dirname, 'orders.lua');
let runs = 0;

/** Places orders over `connections` for so many seconds. Throws when one is refused. */
export async function loadIntake(url: string, tokensFile: string, connections: number, seconds: number): Promise<Load> {
  const wrk = await ensureDebianPackage('wrk', 'wrk');
  const { stdout } = await promisify(execFile)(wrk, [
    ...['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '10s', '-s', script],
    ...[url, '--', tokensFile, `run${++runs}`],
  ]);
  const line = /^LOAD (.*)$/m.exec(stdout)?.[1];
  if (!line) throw new Error(`wrk said nothing that we understand:\n${stdout}`);
  const load = JSON.parse(line) as Record<'answers' | 'microseconds' | 'p50' | 'p99' | 'refused' | 'failed', number>; // orders.lua
  if (load.refused > 0 || load.failed > 0 || load.answers === 0) {
    throw new Error(`the load met ${load.refused} refusals and ${load.failed} lost requests among ${load.answers}`);
  }
  return {
    answers: load.answers,
    perSecond: (load.answers / load.microseconds) * 1e6,
    p50Ms: load.p50 / 1000,
    p99Ms: load.p99 / 1000,
  };
}

import { readFileSync } from 'node:fs';
import { median } from '../statistics.ts';

/** CPU time in microseconds since the start of each; the kernel counts in steps of 10 ms. */
export interface CpuTimes {
  app: number;
  postgres: number;
  redis: number;
}

const tickMicroseconds = 10_000; // USER_HZ is 100 on every Linux that Node runs on
const noTimes: CpuTimes = { app: Number.NaN, postgres: Number.NaN, redis: Number.NaN };

export function readCpuTimes(appPid: number, postmasterPid: number, redisPid: number): CpuTimes {
  if (process.platform !== 'linux') return noTimes;
  const postmaster = readStat(postmasterPid);
  // Backends that have ended are in the postmaster's account of its children.
  const backends = childrenOf(postmasterPid).map((pid) => readStat(pid).own);
  return {
    app: readStat(appPid).own,
    postgres: postmaster.own + postmaster.children + backends.reduce((sum, time) => sum + time, 0),
    redis: readStat(redisPid).own,
  };
}

/** Microseconds per order: `app/pg/redis`, steadier than orders per second. */
export function cpuPerOrder(before: CpuTimes, after: CpuTimes, orders: number): CpuTimes {
  return {
    app: (after.app - before.app) / orders,
    postgres: (after.postgres - before.postgres) / orders,
    redis: (after.redis - before.redis) / orders,
  };
}

/** `app/pg/redis`, the medians; a dash where nobody could say. */
export function cpuColumn(samples: readonly CpuTimes[]): string {
  const parts = (['app', 'postgres', 'redis'] as const).map((part) => median(samples.map((times) => times[part])));
  return parts.some(Number.isNaN) ? '–' : parts.map(Math.round).join('/');
}

/** The most memory that a process ever had resident, in MB (10⁶ bytes). */
export function readPeakMemoryMb(pid: number): number {
  return readMemoryMb(pid, 'VmHWM');
}

export function readMemoryMb(pid: number, field: 'VmHWM' | 'VmRSS' = 'VmRSS'): number {
  if (process.platform !== 'linux') return Number.NaN;
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
}

function readStat(pid: number): { own: number; children: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold blanks and brackets
    const ticks = (from: number) => (Number(fields[from]) + Number(fields[from + 1])) * tickMicroseconds;
    return { own: ticks(11), children: ticks(13) };
  } catch {
    return { own: 0, children: 0 }; // a backend that ended between two reads
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

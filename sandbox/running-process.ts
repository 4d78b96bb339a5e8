import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What runs under a process id: null when nothing does, or only a zombie is left that nobody has reaped yet. */
export type RunningProcess = { startedAt: string; commandLine: string };

export function findProcess(pid: number): RunningProcess | null {
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return process.platform === 'linux' ? findInProc(pid) : findByPs(pid);
}

function findInProc(pid: number): RunningProcess | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold blanks and brackets
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { startedAt: fields[19] ?? '', commandLine };
  } catch {
    return null; // gone between two reads, or never there
  }
}

function findByPs(pid: number): RunningProcess | null {
  const { stdout } = spawnSync('ps', ['-o', 'state=,lstart=,args=', '-p', String(pid)], { encoding: 'utf8' });
  const [, state, startedAt, commandLine] =
    /^\s*(\S+)\s+(\w+\s+\w+\s+\d+\s+\S+\s+\d+)\s+(.*)$/m.exec(stdout ?? '') ?? [];
  if (!state || state.startsWith('Z')) return null;
  return { startedAt: startedAt ?? '', commandLine: commandLine ?? '' };
}

/** The processes that work in this folder, however they were started; empty where /proc does not tell. */
export function findProcessesIn(folder: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`) === folder ? [Number(name)] : [];
    } catch {
      return []; // gone, or not ours to look at
    }
  });
}

/** Another process cannot be waited for by event unless it is our child: look every 20 ms. False when the time is up. */
export async function waitUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

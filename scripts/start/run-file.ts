import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProcess } from '../../sandbox/running-process.ts';

/** What the CLI reads to find the demo, there while it runs. */
export type RunFile = { url: string; databaseUrl: string | null; pid: number };

const fileIn = (dataFolder: string) => path.join(dataFolder, 'run.json');

export function writeRunFile(dataFolder: string, run: RunFile): void {
  mkdirSync(dataFolder, { recursive: true });
  removeRunFile(dataFolder); // or a file left behind would keep its looser mode
  const startedAt = findProcess(run.pid)?.startedAt;
  writeFileSync(fileIn(dataFolder), `${JSON.stringify({ ...run, startedAt })}\n`, { mode: 0o600 });
}

export function removeRunFile(dataFolder: string): void {
  rmSync(fileIn(dataFolder), { force: true });
}

/** The demo that runs from this checkout now; a file that a killed one left behind does not count. */
export function findRunningDemo(dataFolder: string): RunFile | null {
  if (!existsSync(fileIn(dataFolder))) return null;
  const run = JSON.parse(readFileSync(fileIn(dataFolder), 'utf8')) as RunFile & { startedAt: string }; // written above
  return findProcess(run.pid)?.startedAt === run.startedAt ? run : null;
}

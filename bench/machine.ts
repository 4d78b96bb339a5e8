import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Lab } from './lab/lab.ts';
import { decimal, median } from './statistics.ts';

const packages = ['bullmq', 'ioredis', 'pg', 'slonik', 'fastify', 'zod', 'fast-jwt', 'pg-boss', 'graphile-worker'];
const root = path.dirname(import.meta.dirname);

/** What the figures depend on, as lines of `name: value`. */
export function describeMachine(lab: Lab): string[] {
  const [cpu] = os.cpus();
  return [
    `machine: ${os.cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()} ${os.arch()}`,
    `disk: fdatasync of 8 kB takes ${decimal(measureSyncMs(lab.folder))} ms`,
    `load before the run: ${os
      .loadavg()
      .map((load) => decimal(load))
      .join(' ')}`,
    `services: Postgres ${lab.versions.postgres} (fsync and synchronous_commit on, shared_buffers 512 MB), Redis ${lab.versions.redis} (no AOF), ${wrkVersion()}`,
    `versions: Node ${process.versions.node}, ${packages.map((name) => `${name} ${versionOf(name)}`).join(', ')}`,
  ];
}

function versionOf(packageName: string): string {
  const file = path.join(root, 'node_modules', packageName, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version; // every package.json has one
}

function wrkVersion(): string {
  const { stdout } = spawnSync('wrk', ['-v'], { encoding: 'utf8' });
  return /^wrk \S+/.exec(stdout ?? '')?.[0] ?? 'wrk';
}

/** Commits cost this at least: on a slower disk, groups gain more. */
function measureSyncMs(folder: string): number {
  const file = path.join(folder, 'sync-probe');
  const descriptor = openSync(file, 'w');
  const page = Buffer.alloc(8192);
  const times: number[] = [];
  for (let round = 0; round < 200; round++) {
    writeSync(descriptor, page, 0, page.length, 0);
    const start = performance.now();
    fdatasyncSync(descriptor);
    times.push(performance.now() - start);
  }
  closeSync(descriptor);
  rmSync(file);
  return median(times);
}

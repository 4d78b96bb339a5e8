import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import type { SerializedError } from 'vitest';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { whereItStands } from './where-it-stands.ts';

/** What the report of a run does not say. */
export interface RunNotes {
  /** Files that were given up, by their paths. */
  stuck: string[];
  /** Tests that failed and then passed. */
  atSecondTry: string[];
  /** Faults outside of tests, but for those of the files that were given up. */
  otherErrors: number;
}

export const notesName = 'notes.json';

/**
 * vitest bounds tests and hooks by timers. A file whose process spins, or waits for another process synchronously, hears no timer: the
 * run would never end, and nobody would know why. Such a file is given up: where it stands is printed, and its process is ended.
 */
export default class StuckFiles implements Reporter {
  readonly #folder = process.env.TEST_NOTES ?? '.';
  readonly #limitMs = Number(process.env.TEST_FILE_LIMIT_MS);
  readonly #inspectPort = Number(process.env.TEST_INSPECT_PORT);
  readonly #since = new Map<string, number>();
  readonly #notes: RunNotes = { stuck: [], atSecondTry: [], otherErrors: 0 };
  readonly #timer = setInterval(() => void this.#look(), Math.min(5_000, this.#limitMs / 4)).unref();

  onTestModuleQueued({ moduleId }: TestModule): void {
    this.#since.set(moduleId, Date.now());
  }

  onTestModuleEnd({ moduleId }: TestModule): void {
    this.#since.delete(moduleId);
  }

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky) this.#notes.atSecondTry.push(`${test.module.relativeModuleId} > ${test.fullName}`);
  }

  onTestRunEnd(_: readonly TestModule[], errors: readonly SerializedError[]): void {
    clearInterval(this.#timer);
    const ofStuck = (error: SerializedError) => this.#notes.stuck.some((file) => inspect(error).includes(file));
    this.#notes.otherErrors = errors.filter((error) => !ofStuck(error)).length;
    writeFileSync(path.join(this.#folder, notesName), JSON.stringify(this.#notes));
  }

  async #look(): Promise<void> {
    for (const [file, since] of this.#since) {
      if (Date.now() - since < this.#limitMs || this.#notes.stuck.includes(file)) continue;
      this.#notes.stuck.push(file);
      console.error(`\nstuck: ${file}, for ${Math.round((Date.now() - since) / 1_000)} s`);
      await this.#giveUp();
    }
  }

  /** One process per file: those that are as old as that are the stuck ones. */
  async #giveUp(): Promise<void> {
    const { stdout } = spawnSync('ps', ['-ww', '-eo', 'pid=,ppid=,etimes=,stat=,wchan=,args='], { encoding: 'utf8' });
    const ofPrograms = stdout.split('\n').filter((line) => !/^\s*\d+\s+[02]\s/.test(line)); // not of the kernel
    console.error(ofPrograms.map((line) => line.slice(0, 200)).join('\n'));
    const workers = stdout.split('\n').flatMap((line) => {
      const [pid, parent, ageS] = line.trim().split(/\s+/).map(Number);
      const isWorker = parent === process.pid && line.includes('workers/forks');
      return isWorker && pid !== undefined && (ageS ?? 0) * 1_000 > this.#limitMs - 2_000 ? [pid] : [];
    });
    for (const worker of workers) {
      const stack = await whereItStands(worker, this.#inspectPort);
      console.error(stack ?? `${worker} runs no JavaScript`);
      process.kill(worker, 'SIGKILL');
    }
  }
}

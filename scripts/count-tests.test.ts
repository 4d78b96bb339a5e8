import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-count-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function count(report: unknown): string {
  const file = path.join(folder, 'report.json');
  writeFileSync(file, report === undefined ? '' : JSON.stringify(report));
  return spawnSync(process.execPath, [path.join(import.meta.dirname, 'count-tests.mjs'), file], {
    encoding: 'utf8',
  }).stdout.trim();
}

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

describe('the last line of .ci/run', () => {
  it('counts what passed, failed and was skipped', () => {
    const testResults = [file('failed', 'passed', 'failed')];
    expect(count({ numPassedTests: 8, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0, testResults })).toBe(
      '8 passed, 1 failed',
    );
    expect(count({ numPassedTests: 8, numFailedTests: 0, numPendingTests: 2, numTodoTests: 1, testResults: [] })).toBe(
      '8 passed, 0 failed, 3 skipped',
    );
  });

  it('counts a file that broke before its first test, and a run without a report', () => {
    expect(count({ numPassedTests: 8, numFailedTests: 0, testResults: [file('failed')] })).toBe('8 passed, 1 failed');
    expect(count(undefined)).toBe('0 passed, 1 failed');
  });
});

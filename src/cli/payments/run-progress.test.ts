import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { ReconciliationRun } from '../../domain/reconciliation.ts';
import { showRuns } from './run-progress.ts';

const run: ReconciliationRun = {
  id: '00000000-0000-4000-8000-000000000000',
  provider: 'paypal',
  from: '2026-03-01T12:00:00.000Z',
  to: '2026-03-03T12:00:00.000Z',
  state: 'done',
  startedAt: '2026-03-03T12:00:00.000Z',
  finishedAt: '2026-03-03T12:00:01.000Z',
  movements: 0,
  ofOthers: 0,
  compared: 0,
  lookedAt: 0,
  found: 0,
  resolved: 0,
  failure: null,
};

function lineOf(one: ReconciliationRun): string {
  const output = new PassThrough();
  showRuns(output).show([one]);
  return String(output.read());
}

it('counts payments where a comparison ended well, and not where it could not begin', () => {
  expect(lineOf(run)).toBe(
    'paypal: 0 differences, 0 resolved; 0 payments, 0 movements, 2026-03-01 12:00Z to 2026-03-03 12:00Z\n',
  );
  const failed = { ...run, state: 'failed', failure: '401 invalid_client' } as const;
  expect(lineOf(failed)).toBe('paypal: FAILED, 401 invalid_client; 2026-03-01 12:00Z to 2026-03-03 12:00Z\n');
  expect(lineOf({ ...failed, compared: 3 })).toContain('3 payments'); // it got so far
});

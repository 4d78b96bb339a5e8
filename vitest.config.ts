import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/sequencer.ts';

/** They wait for leases, locks and backoffs to run out more than they compute: many at a time still leave the machine room. */
const waiting = [
  'queues/lane-puller.test.ts',
  'scripts/start.test.ts',
  'test/admin-password.test.ts',
  'test/authorisation-ends.test.ts',
  'test/backup-runs-killed.test.ts',
  'test/backup-runs-worker.test.ts',
  'test/crash.test.ts',
  'test/emails.test.ts',
  'test/handlers.test.ts',
  'test/lane-puller.test.ts',
  'test/loss.test.ts',
  'test/mail-crash.test.ts',
  'test/mail-away.test.ts',
  'test/mail-faults.test.ts',
  'test/mail-refusals.test.ts',
  'test/payment-endings.test.ts',
  'test/payment-guards-jobs.test.ts',
  'test/poison.test.ts',
  'test/postgres-restart.test.ts',
  'test/receipts.test.ts',
  'test/reconciliation.test.ts',
  'test/robot-crashes.test.ts',
  'test/robot-example.test.ts',
  'test/robots.test.ts',
  'test/slow-clients.test.ts',
  'test/webhooks.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: LongestFirst },
    // One group after the other: those that compute, or measure time finely, are alone with one neighbour.
    projects: [
      {
        extends: true,
        test: { name: 'waiting', include: waiting, maxWorkers: 4, maxConcurrency: 3, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'computing',
          include: ['**/*.test.ts'],
          exclude: [...configDefaults.exclude, '.data/**', ...waiting], // .data: what a run that was cut short has left
          maxWorkers: 2, // the services share the machine with the tests
          sequence: { groupOrder: 2 },
        },
      },
    ],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longer than 20 s, the longest first: begun late, one of them would run on alone at the end. */
const longest = [
  'test/crash.test.ts',
  'test/payment-endings.test.ts',
  'test/robots.test.ts',
  'test/loss.test.ts',
  'test/robot-crashes.test.ts',
  'test/postgres-restart.test.ts',
  'test/strictness.test.ts',
  'test/reconciliation.test.ts',
  'test/authorisation-ends.test.ts',
  'scripts/start.test.ts',
  'test/hosts.test.ts',
  'test/board-page.test.ts',
  'test/lane-puller.test.ts',
  'test/board-session.test.ts',
  'test/admin-password.test.ts',
  'test/handlers.test.ts',
  'test/poison.test.ts',
  'test/storm/storm.test.ts',
  'test/board-sign-in.test.ts',
  'test/slow-clients.test.ts',
  'test/robot-example.test.ts',
  'queues/lane-puller.test.ts',
  'test/payment-guards-jobs.test.ts',
  'test/webhooks.test.ts',
];

/** The files known to be long, then vitest's own order: by the durations of the last run, in a fresh clone by size. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const known = longest.findIndex((file) => moduleId.endsWith(`/${file}`));
      return known === -1 ? longest.length : known;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

// One line about vitest's JSON report: `N passed, N failed`, and what was skipped. A file that broke before its first
// test, or a run that left no report, counts as one failure.
import { readFileSync } from 'node:fs';

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 1, testResults: [] };
  }
}

const {
  numPassedTests,
  numFailedTests,
  numPendingTests = 0,
  numTodoTests = 0,
  testResults,
} = readReport(process.argv[2]);
const brokenFiles = testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
);
const skipped = numPendingTests + numTodoTests;
const counts = [`${numPassedTests} passed`, `${numFailedTests + brokenFiles.length} failed`];
console.log([...counts, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', '));

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runVitest } from './run-vitest.ts';

// Within the checkout, so that its tests find vitest.
const data = path.join(path.dirname(import.meta.dirname), '.data');
let folder: string;
let root: string;

beforeAll(() => {
  mkdirSync(data, { recursive: true });
  folder = mkdtempSync(path.join(data, 'run-vitest-'));
  root = path.join(folder, 'project');
  mkdirSync(root);
  const files = {
    'vitest.config.ts': `export default { test: { pool: 'forks' } };`,
    'spin.test.ts': `import { existsSync, writeFileSync } from 'node:fs';
      import { it } from 'vitest';
      it('spins at its first run', () => {
        const mark = import.meta.dirname + '/mark';
        const isSecond = existsSync(mark);
        writeFileSync(mark, '');
        (function theLoop() { while (!isSecond); })();
      });`,
    'once.test.ts': `import { expect, it } from 'vitest';
      let tries = 0;
      it('passes at its second try', () => expect(++tries).toBe(2));
      it('passes', () => {});`,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(root, name), content);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readReport = (report: string) => JSON.parse(readFileSync(report, 'utf8'));

it('gives up a file that is stuck, and runs it once more', { timeout: 60_000 }, async () => {
  const said: string[] = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => void said.push(line));
  vi.stubEnv('CI', 'true');
  const report = path.join(folder, 'report.json');
  const env = { TEST_FILE_LIMIT_MS: '4000' };
  expect(await runVitest({ root, args: [], env, report, folder, isSilent: true })).toBe(0);
  expect(readReport(report)).toMatchObject({ numPassedTests: 3, numFailedTests: 0 });
  expect(said.join('\n')).toContain('passed at the second try: once.test.ts > passes at its second try');
  expect(said.join('\n')).toContain(`run again: ${path.join(root, 'spin.test.ts')}`);

  rmSync(path.join(root, 'mark'));
  const narrow = { root, args: ['spin.test.ts'], env, report, folder, isSilent: true };
  expect(await runVitest(narrow), 'a part of the tests is not run again').not.toBe(0);
});

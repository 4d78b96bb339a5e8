/** `npm run check`: types, format and lint, promises, and the import line. Runs all four, then says what failed. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const folders = ['src', 'queues', 'workers', 'sandbox', 'scripts', 'test', 'bench'];
const sources = folders.filter((folder) => existsSync(path.join(root, folder)));

function run(command: string, args: string[]): boolean {
  const { status, error } = spawnSync(path.join(root, 'node_modules/.bin', command), args, {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) throw error;
  return status === 0;
}

type Cruise = {
  modules: { source: string; dependencies: unknown[] }[];
  summary: { violations: { rule: { name: string }; from: string; to: string; cycle?: { name: string }[] }[] };
};

/** dependency-cruiser reports success over nothing when it cannot parse: what it saw is compared with what is there. */
function checkImports(): boolean {
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...sources];
  const { stdout, stderr } = spawnSync(path.join(root, 'node_modules/.bin/depcruise'), args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (!stdout.startsWith('{')) {
    console.error(stdout + stderr);
    return false;
  }
  const { modules, summary } = JSON.parse(stdout) as Cruise; // the documented shape of --output-type json
  const seen = new Set(modules.map(({ source }) => source));
  const unseen = globSync(
    sources.map((folder) => `${folder}/**/*.ts`),
    { cwd: root },
  ).filter((file) => !seen.has(file));
  for (const file of unseen) console.error(`  not read: ${file}`);
  for (const { rule, from, to, cycle } of summary.violations) {
    console.error(`  ${rule.name}: ${from} → ${cycle ? cycle.map(({ name }) => name).join(' → ') : to}`);
  }
  const read = [...seen].filter((source) => !source.includes('node_modules') && source.endsWith('.ts')).length;
  const imports = modules.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
  console.log(`  ${read} modules and ${imports} imports read, ${summary.violations.length} violations`);
  return read > 0 && imports > 0 && unseen.length === 0 && summary.violations.length === 0;
}

const checks: [name: string, check: () => boolean][] = [
  ['types (tsc)', () => run('tsc', ['--project', '.'])],
  ['format and lint (biome)', () => run('biome', ['check', '--diagnostic-level=warn', '--error-on-warnings', '.'])],
  ['promises (oxlint)', () => run('oxlint', ['--type-aware', '--deny-warnings', ...sources])],
  ['imports (dependency-cruiser)', checkImports],
];

const failed = checks.filter(([name, check]) => {
  const start = performance.now();
  console.log(`check: ${name}`);
  const passed = check();
  console.log(`check: ${name} ${passed ? 'ok' : 'FAILED'} in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  return !passed;
});
if (failed.length > 0) console.error(`check failed: ${failed.map(([name]) => name).join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;

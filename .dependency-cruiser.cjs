// The import line of this project: each layer may import anything to its right, nothing to its left.
//   src/server.ts, workers/main.ts, src/cli.ts → src/http | workers | src/cli → src/operations
//     → src/db | accounts | payments | mail | receipts | storage | backup → queues → src/domain
const production = '^(src|queues|workers)/';
const testFile = '\\.test\\.ts$';
const adapters = '^src/(db|accounts|payments|mail|receipts|storage|backup)/';
const entryPoint = '^(src/(server|cli)\\.ts|workers/main\\.ts)$';
const settings = '^src/(config|config-backup|config-mail|config-payments|config-stores|config-values|log)\\.ts$'; // built by the entry points; everybody else sees their types only
const outsiders = '^(sandbox|test|bench|scripts)/';

const layer = (name, from, to, rest = {}) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: testFile, ...rest.from },
  to: { ...(to && { path: to }), ...rest.to },
});

module.exports = {
  forbidden: [
    layer('domain-imports-zod-alone', '^src/domain/', undefined, {
      to: { pathNot: ['^src/domain/', '(^|/)node_modules/zod/'] },
    }),
    layer('queues-import-domain', '^queues/', ['^src/', '^workers/'], { to: { pathNot: ['^src/domain/', settings] } }),
    layer('adapters-import-queues-and-domain', adapters, ['^src/', '^workers/'], {
      to: { pathNot: [adapters, '^src/domain/', settings] },
    }),
    layer('operations-import-adapters-queues-domain', '^src/operations/', ['^src/', '^workers/'], {
      to: { pathNot: ['^src/operations/', adapters, '^src/domain/', settings] },
    }),
    layer('http-and-workers-never-meet', '^src/http/', '^workers/'),
    layer('workers-and-http-never-meet', '^workers/', '^src/http/'),
    layer('http-and-workers-do-not-know-the-cli', '^(src/http|workers)/', '^src/cli'),
    layer('cli-speaks-http', '^src/cli', ['^src/http/', '^workers/'], { to: { pathNot: entryPoint } }),
    layer('settings-know-no-layer', settings, ['^src/', '^queues/', '^workers/'], {
      to: { pathNot: ['^src/domain/', settings] },
    }),
    layer('nobody-imports-an-entry-point', production, entryPoint, { from: { pathNot: [testFile, '^src/cli'] } }),
    layer('entry-points-read-config', production, settings, {
      from: { pathNot: [testFile, entryPoint, settings, '^src/cli/'] },
      to: { dependencyTypesNot: ['type-only'] },
    }),
    layer('production-knows-no-sandbox', production, '^sandbox/', { from: { pathNot: [testFile, '^src/cli'] } }),
    layer('production-knows-no-tests-or-scripts', production, outsiders, { to: { pathNot: '^sandbox/' } }),
    layer('sandbox-stands-alone', '^sandbox/', ['^(src|queues|workers|test|bench|scripts)/']),
    layer('no-development-package-in-production', production, undefined, {
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    }),
    { name: 'nobody-imports-a-test', severity: 'error', from: {}, to: { path: testFile } },
    {
      name: 'every-folder-has-a-layer',
      comment: 'A new folder under src/ takes its place on the line above first.',
      severity: 'error',
      from: {},
      to: {
        path: '^src/',
        pathNot: [
          '^src/(domain|operations|db|accounts|payments|mail|receipts|storage|backup|http|cli)/',
          settings,
          entryPoint,
        ],
      },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'nothing-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: 'swc', // TypeScript 7 has no API to read with; without a parser 0 modules are seen and all is well
    tsPreCompilationDeps: true, // type imports count
    doNotFollow: { path: 'node_modules' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      mainFields: ['types', 'main'],
    },
  },
};

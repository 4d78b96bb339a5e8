import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProcfile } from './start/procfile.ts';

const scripts = import.meta.dirname;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-launch-'));
  for (const file of ['launch.mjs', 'run.mjs']) cpSync(path.join(scripts, file), path.join(folder, 'scripts', file));
  mkdirSync(path.join(folder, 'node_modules/.bin'), { recursive: true });
  mkdirSync(path.join(folder, 'path'));
  // The npm that the launcher finds: it writes down how it was called, and what npm itself would leave behind.
  write(
    'path/npm',
    '#!/bin/sh\necho "$* NODE_ENV=$NODE_ENV" > called\ncp package-lock.json node_modules/.package-lock.json\n',
    0o755,
  );
  symlinkSync(process.execPath, path.join(folder, 'path/node'));
  lockfiles({ a: '1.0.0' }, { a: '1.0.0' });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string, mode?: number): void {
  writeFileSync(path.join(folder, name), content, { mode });
}

function lockfiles(wanted: Record<string, string>, installed: Record<string, string> | null): void {
  const packages = (versions: Record<string, string>) =>
    Object.fromEntries(Object.entries(versions).map(([name, version]) => [`node_modules/${name}`, { version }]));
  write(
    'package-lock.json',
    JSON.stringify({
      packages: { '': {}, ...packages(wanted), 'node_modules/mac': { version: '1.0.0', optional: true } },
    }),
  );
  if (installed) write('node_modules/.package-lock.json', JSON.stringify({ packages: packages(installed) }));
  else rmSync(path.join(folder, 'node_modules'), { recursive: true });
}

function run(program: string, ...args: string[]) {
  write('target.ts', program);
  return spawn(process.execPath, ['scripts/run.mjs', 'target.ts', ...args], {
    cwd: folder,
    env: { PATH: `${path.join(folder, 'path')}:/usr/bin:/bin`, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const npmCall = () =>
  existsSync(path.join(folder, 'called')) ? readFileSync(path.join(folder, 'called'), 'utf8').trim() : null;

describe('the launcher', () => {
  it('passes arguments, the project’s own programs and the exit code on', async () => {
    const child = run(
      'console.log(process.argv.slice(2).join(), process.env.PATH?.split(":")[0]); process.exitCode = 7;',
      'a',
      '--b',
    );
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    expect(stdout.trim()).toBe(`a,--b ${path.join(folder, 'node_modules/.bin')}`);
    expect(code).toBe(7);
    expect(npmCall()).toBeNull();
  });

  it.each([
    ['nothing is installed', { a: '1.0.0' }, null],
    ['another version is locked', { a: '2.0.0' }, { a: '1.0.0' }],
    ['a package was added', { a: '1.0.0', b: '1.0.0' }, { a: '1.0.0' }],
  ])('installs first when %s, tools included, and says so', async (_, wanted, installed) => {
    lockfiles(wanted, installed);
    if (!installed) mkdirSync(path.join(folder, 'node_modules')); // the stand-in for npm makes no folder
    const child = run('console.log("ran")');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect(stderr).toContain('twolane: installing dependencies (npm ci), once');
    expect(npmCall()).toBe('ci --no-audit --no-fund --loglevel=error NODE_ENV=');
    expect(stdout).toBe('ran\n');
  });

  it('ends with npm’s exit code when the install fails', async () => {
    lockfiles({ a: '2.0.0' }, { a: '1.0.0' });
    write('path/npm', '#!/bin/sh\necho no network >&2\nexit 5\n', 0o755);
    const child = run('console.log("ran")');
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 5 });
    expect(stderr).toContain('no network');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('passes %s on once and waits for the end', async (signal) => {
    const child = run(`process.on('${signal}', () => { console.log('told'); setTimeout(() => process.exit(3), 100); });
      setInterval(() => {}, 1000); console.log('ready');`);
    const lines: string[] = [];
    const reader = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    await once(reader, 'line');
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([3, null]);
    expect(lines).toEqual(['ready', 'told']);
  });

  it('ends with npm, whose shell dies of a signal and passes none on', async () => {
    write(
      'target.ts',
      `process.on('SIGTERM', () => { console.log('told'); process.exit(); }); setInterval(() => {}, 1000); console.log('ready');`,
    );
    const shell = spawn('/bin/sh', ['-c', `"${process.execPath}" scripts/run.mjs target.ts; true`], {
      cwd: folder,
      env: { PATH: `${path.join(folder, 'path')}:/usr/bin:/bin`, npm_lifecycle_event: 'web' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    const reader = createInterface({ input: shell.stdout }).on('line', (line) => lines.push(line));
    await once(reader, 'line');
    shell.kill('SIGTERM');
    await once(reader, 'close'); // the program has ended too
    expect(lines).toEqual(['ready', 'told']);
  });

  it('dies of the signal that its program died of', async () => {
    const child = run('process.kill(process.pid, "SIGKILL")');
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
  });
});

it('starts by npm what the Procfile starts, with the same options', () => {
  const { scripts: commands } = JSON.parse(readFileSync(path.join(scripts, '../package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const nameOf = (name: string) => (name === 'release' ? 'migrate' : name);
  for (const { name, command } of readProcfile(path.join(scripts, '../Procfile')))
    expect(commands[nameOf(name)]).toBe(command.replace(/^node /, 'node scripts/run.mjs '));
});

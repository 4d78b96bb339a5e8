import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { findFreePort } from '../../sandbox/free-port.ts';
import { whereItStands } from './where-it-stands.ts';

let child: ChildProcess | undefined;
afterEach(() => child?.kill('SIGKILL'));

async function run(program: string) {
  const port = await findFreePort();
  child = spawn(process.execPath, [`--inspect-port=${port}`, '-e', `console.log('on'); ${program}`]);
  await once(child.stdout!, 'data');
  return whereItStands(child.pid!, port);
}

it('tells where a process spins', async () => {
  expect(await run('(function theLoop() { for (;;); })();')).toMatch(/^ {4}at theLoop \(.*:1\)\n/);
});

it('tells that one waits for another', async () => {
  expect(await run("require('node:child_process').spawnSync('sleep', ['20']);")).toBeNull();
});

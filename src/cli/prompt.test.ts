import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { askLine, confirm, readPassword, readPasswordChange } from './prompt.ts';
import type { Terminal } from './terminal.ts';

/** A terminal on which somebody types each text when the question before it has been asked. */
function terminalWith(...typed: string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stderr = Object.assign(new PassThrough(), { isTTY: true });
  const seen = { text: '' };
  stderr.on('data', (bytes) => {
    seen.text += String(bytes);
    if (/(: |\[y\/N\] )$/.test(String(bytes))) setImmediate(() => stdin.write(typed.shift() ?? ''));
  });
  const terminal: Terminal = {
    stdin,
    stdout: new PassThrough(),
    stderr,
    env: {},
    projectFolder: '/',
    signal: new AbortController().signal,
  };
  return { terminal, seen };
}

it('reads a password without showing it, mended as it is typed', async () => {
  const { terminal, seen } = terminalWith('secrex\u007ft\r');
  expect(await readPassword(terminal, { fromStdin: false, twice: false })).toBe('secret');
  expect(seen.text).toBe('Password: \n');
});

it('switches the echo off before it asks, so that nothing typed at once is shown', async () => {
  const { terminal } = terminalWith('secret\r');
  const steps: string[] = [];
  terminal.stderr.on('data', (bytes) => steps.push(String(bytes)));
  Object.assign(terminal.stdin, { setRawMode: (isRaw: boolean) => steps.push(isRaw ? 'echo off' : 'echo on') });
  await readPassword(terminal, { fromStdin: false, twice: false });
  expect(steps).toEqual(['echo off', 'Password: ', 'echo on', '\n']);
});

it('wants the current password once and the new one twice, or both as lines of a pipe', async () => {
  const { terminal, seen } = terminalWith('former\r', 'secret-1\r', 'secret-1\r');
  const passwords = { currentPassword: 'former', newPassword: 'secret-1' };
  expect(await readPasswordChange(terminal, { fromStdin: false, of: 'mara@shop.example' })).toEqual(passwords);
  expect(seen.text).toBe('Current password of mara@shop.example: \nNew password: \nThe same again: \n');
  terminal.stdin = new PassThrough().end('former\r\nsecret-1\n') as PassThrough;
  expect(await readPasswordChange(terminal, { fromStdin: true, of: '' })).toEqual(passwords);
  for (const text of ['former\n', 'former\n\n', '\nsecret\n', 'former\nsecret\nsecret\n']) {
    terminal.stdin = new PassThrough().end(text) as PassThrough;
    await expect(readPasswordChange(terminal, { fromStdin: true, of: '' })).rejects.toThrow(/two lines/);
  }
});

it.each([
  ['y\r', true],
  ['Yes \r', true],
  ['\r', false],
  ['no\r', false],
  ['yesterday\r', false],
  ['\u0004', false],
])('takes %j for %s', async (typed, isMeant) => {
  const { terminal } = terminalWith(typed);
  expect(await confirm(terminal, 'Really?')).toBe(isMeant);
});

it('wants a new one twice, and the same', async () => {
  const same = terminalWith('secret-1\r', 'secret-1\r');
  expect(await readPassword(same.terminal, { fromStdin: false, twice: true })).toBe('secret-1');
  expect(same.seen.text).not.toContain('secret');
  const other = terminalWith('secret-1\r', 'sacred-1\r');
  const asked = readPassword(other.terminal, { fromStdin: false, twice: true });
  await expect(asked).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('different') });
});

it('refuses a new one that is too short before it is typed again', async () => {
  const { terminal, seen } = terminalWith('seven77\r');
  const asked = readPassword(terminal, { fromStdin: false, twice: true });
  await expect(asked).rejects.toMatchObject({ exitCode: 2, message: 'a new password takes at least 8 characters' });
  expect(seen.text).toBe('Password: \n');
});

it('ends with Ctrl-C, and takes Ctrl-D for no answer', async () => {
  const interrupted = terminalWith('sec\u0003');
  const asked = readPassword(interrupted.terminal, { fromStdin: false, twice: false });
  await expect(asked).rejects.toMatchObject({ exitCode: 130 });
  expect(await askLine(terminalWith('\u0004').terminal, 'Really: ')).toBeNull();
});

it('takes all of a pipe but the last line break, and never asks where nobody is', async () => {
  const { terminal } = terminalWith();
  terminal.stdin = new PassThrough().end(' two words \r\n') as PassThrough;
  expect(await readPassword(terminal, { fromStdin: true, twice: true })).toBe(' two words ');
  terminal.stdin = new PassThrough().end('\n') as PassThrough;
  await expect(readPassword(terminal, { fromStdin: true, twice: false })).rejects.toThrow(/no password/);
  terminal.stdin = new PassThrough();
  const asked = readPassword(terminal, { fromStdin: false, twice: false });
  await expect(asked).rejects.toMatchObject({ exitCode: 2, hints: [expect.stringContaining('--password-stdin')] });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../src/cli/accounts/session-file.ts';
import { type RunOptions, runCaptured } from '../src/cli/captured-run.ts';
import type { Order } from '../src/domain/order.ts';
import type { User } from '../src/domain/user.ts';
import { type Engine, startEngine } from './support/engine.ts';

/** People at terminals, on the real engine: who they are, and what becomes of their sessions. */
let engine: Engine;
let folder: string;
let sessionsFile: string;
const password = 'correct horse battery';

beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [], env: { SIGN_IN_LIMIT_PER_MINUTE: '0' } });
});
afterAll(() => engine.close());
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'twolane-accounts-'));
  sessionsFile = path.join(folder, 'sessions.json');
  return () => rm(folder, { recursive: true });
});

const run = (command: string, options: Partial<RunOptions> = {}) =>
  runCaptured(command.split(' '), { env: { TWOLANE_URL: engine.web.url, TWOLANE_CONFIG_DIR: folder }, ...options });

/** With --json, stdout must be one JSON value and nothing else. */
async function runJson<Value>(command: string, options: Partial<RunOptions> = {}): Promise<Value> {
  const { exitCode, stdout, stderr } = await run(`${command} --json`, options);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout) as Value;
}

const readSessions = async () => (JSON.parse(await readFile(sessionsFile, 'utf8')) as { sessions: Session[] }).sessions;
const writeSessions = (sessions: Session[]) => writeFile(sessionsFile, JSON.stringify({ sessions }));
/** What time would do to the sessions that are kept, or somebody with an editor. */
const changeSessions = async (changes: Partial<Session>) =>
  writeSessions((await readSessions()).map((session) => ({ ...session, ...changes })));

let accounts = 0;
async function addAccount(role = 'NORMAL'): Promise<string> {
  accounts += 1;
  const email = `person-${accounts}@shop.example`;
  await runJson(`users add ${email} --name Person --role ${role} --password-stdin`, { input: password });
  return email;
}

async function signInAs(role?: string): Promise<string> {
  const email = await addAccount(role);
  expect(await run(`login ${email} --password-stdin`, { input: `${password}\n` })).toMatchObject({ exitCode: 0 });
  return email;
}

describe('a session', () => {
  it('begins with login, speaks for its account, and ends with logout', async () => {
    const email = await signInAs('VIP');
    expect(await runJson('whoami')).toMatchObject({ user: { email, role: 'VIP' } });
    const { order } = await runJson<{ order: Order }>('orders place --item espresso');
    expect(order.lane).toBe('vip');
    expect((await run(`orders show ${order.number}`)).stdout).toContain(`order ${order.number}  VIP  PENDING`);

    const [session] = await readSessions();
    expect(await run('logout')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`signed out ${email}`) });
    const refused = await run(`orders show ${order.number} --as ${email}`);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      new RegExp(`${email} is not signed in at .*\n +sign in with \`twolane login ${email}`),
    );
    await writeSessions([session!]); // its tokens are worth nothing any more, not only forgotten here
    expect(await run('whoami')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`${email} is not signed in any more`),
    });
    expect(await readSessions()).toEqual([]);
    expect(await run('logout')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('nobody is signed in') });
  });

  it('is not had with a wrong password', async () => {
    const email = await addAccount();
    const refused = await run(`login ${email} --password-stdin`, { input: 'something else\n' });
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('credentials_invalid (401)') });
    expect(await run(`whoami --as ${email}`)).toMatchObject({ exitCode: 1 });
  });

  it('goes on with a new access token, shortly before the old one ends', async () => {
    await signInAs();
    const [before] = await readSessions();
    expect(before!.renewAtMs).toBeLessThan(Date.now() + 15 * 60_000 - 25_000);
    await changeSessions({ renewAtMs: Date.now() - 1 });
    expect(await run('whoami')).toMatchObject({ exitCode: 0 });
    const [after] = await readSessions();
    expect(after!.refreshToken).not.toBe(before!.refreshToken);
    expect(after!.renewAtMs).toBeGreaterThan(Date.now());
    expect(after!.isAutomatic).toBe(false);
  });

  it('goes on when the server does not believe its access token any more', async () => {
    const email = await signInAs();
    await changeSessions({ accessToken: 'not one of ours' });
    expect(await runJson('whoami')).toMatchObject({ user: { email } });
    expect((await readSessions())[0]!.accessToken).not.toBe('not one of ours');
  });

  it('survives commands that renew it at the same moment', async () => {
    await signInAs();
    await changeSessions({ renewAtMs: 0 });
    const runs = await Promise.all(Array.from({ length: 6 }, () => run('whoami')));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0, 0]);
    await changeSessions({ renewAtMs: 0 });
    expect(await run('whoami')).toMatchObject({ exitCode: 0 });
  });

  it('says how to sign in again when it cannot be renewed', async () => {
    const email = await signInAs();
    await changeSessions({ renewAtMs: 0, refreshToken: 'not one of ours' });
    const refused = await run('orders list');
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain(`twolane login ${email}`);
  });
});

describe('a new password', () => {
  const next = 'a staple of horses';
  const signInWith = (email: string, input: string) => run(`login ${email} --password-stdin`, { input });

  it('is typed twice after the current one, ends the sessions elsewhere and leaves the one here', async () => {
    const email = await signInAs();
    const here = await readSessions();
    await signInWith(email, password);
    const elsewhere = await readSessions();
    await writeSessions(here);
    const changed = await run('passwd', { typed: [password, next, next] });
    expect(changed).toEqual({
      exitCode: 0,
      stdout: `${email} has a new password; all other sessions have ended\n`,
      stderr: `Current password of ${email}: \nNew password: \nThe same again: \n`,
    });
    expect(await run('whoami')).toMatchObject({ exitCode: 0 });
    await writeSessions(elsewhere);
    expect(await run('whoami')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('not signed in any more'),
    });
    expect(await signInWith(email, password)).toMatchObject({ exitCode: 1 });
    expect(await signInWith(email, next)).toMatchObject({ exitCode: 0 });
  });

  it('comes from a pipe in a script, as the second of two lines', async () => {
    const email = await signInAs();
    const server = engine.web.url;
    const input = `${password}\n${next}\n`;
    expect(await runJson('passwd --password-stdin', { input })).toEqual({ server: new URL(server).origin, email });
    expect(await signInWith(email, next)).toMatchObject({ exitCode: 0 });
    expect(await run('passwd --password-stdin', { input: next })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('two lines'),
    });
  });

  it('is not had without the current one', async () => {
    const email = await signInAs();
    const [before] = await readSessions();
    const refused = await run('passwd', { typed: ['a guess', next, next] });
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain('this is not the current password; nothing was changed');
    expect(refused.stderr).toContain(`twolane users password ${email}`);
    expect(await readSessions()).toEqual([before]); // no refresh, as a 401 would have made
    expect(await signInWith(email, password)).toMatchObject({ exitCode: 0 });
  });

  it('is nobody’s who is not signed in, sample account or not', async () => {
    const refused = await run('passwd', { typed: [] });
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('nobody is signed in') });
    const stranger = await run('passwd --as stranger@shop.example', { typed: [] });
    expect(stranger).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is not signed in') });
    expect(stranger.stderr).not.toContain('Current password');
  });

  it('is given by the admin: typed, piped in, or made', async () => {
    const email = await signInAs();
    const typed = await run(`users password ${email.toUpperCase()}`, { typed: [next, next] });
    expect(typed).toEqual({
      exitCode: 0,
      stdout: `${email} has a new password, and is signed out everywhere\n`,
      stderr: `New password of ${email}: \nThe same again: \n`,
    });
    expect(await run('whoami')).toMatchObject({ exitCode: 1 });
    expect(await signInWith(email, next)).toMatchObject({ exitCode: 0 });

    await runJson(`users password ${email} --password-stdin`, { input: password });
    expect(await signInWith(email, password)).toMatchObject({ exitCode: 0 });

    const made = await runJson<{ user: User; password: string }>(`users password ${email} --generate`);
    expect(made.user.email).toBe(email);
    expect(await signInWith(email, made.password)).toMatchObject({ exitCode: 0 });
  });
});

describe('an account that is removed', () => {
  it('is closed after a yes, and not without', async () => {
    const email = await signInAs('VIP');
    const question = `Close the account ${email} (VIP) for good? [y/N] `;
    for (const answer of ['', 'n', 'yesterday']) {
      const kept = await run(`users remove ${email}`, { typed: [answer] });
      expect(kept).toMatchObject({ exitCode: 1, stdout: '' });
      expect(kept.stderr).toContain(question);
      expect(kept.stderr).toContain(`${email} stays as it was`);
    }
    expect(await run('whoami')).toMatchObject({ exitCode: 0 });
    const closed = await run(`users remove ${email.toUpperCase()}`, { typed: ['yes'] });
    expect(closed).toMatchObject({ exitCode: 0, stdout: `${email} is closed (was VIP)\n` });
    expect(await run('whoami')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('not signed in any more'),
    });
    expect(await run(`users remove ${email} --yes`)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('there is no account'),
    });
  });

  it('is closed by a script that says so', async () => {
    const email = await addAccount();
    for (const command of [`users remove ${email}`, `users remove ${email} --json`])
      expect(await run(command)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
    expect(await runJson(`users remove ${email} --yes`)).toMatchObject({ user: { email } });
    expect(await runJson(`users list --search ${email}`)).toMatchObject({ users: [] });
  });
});

describe('who is meant', () => {
  it('is a sample account that signs in by itself on this machine, once', async () => {
    expect(await runJson('whoami')).toMatchObject({ user: { email: 'normal@twolane.test' } });
    await run('bots list');
    const first = await readSessions();
    expect(first.map(({ email, isAutomatic }) => [email, isAutomatic])).toEqual([
      ['normal@twolane.test', true],
      ['manager@twolane.test', true],
    ]);
    await run('bots list');
    expect(await readSessions()).toEqual(first);
    await changeSessions({ renewAtMs: 0, refreshToken: 'not one of ours' });
    expect(await run('bots list')).toMatchObject({ exitCode: 0 }); // and again, when its session has ended
  });

  it('needs no folder to keep it in', async () => {
    const nowhere = { TWOLANE_URL: engine.web.url };
    expect(await run('whoami', { env: nowhere })).toMatchObject({ exitCode: 0 });
    const unwritable = { ...nowhere, TWOLANE_CONFIG_DIR: path.join(import.meta.filename, 'in-a-file') };
    expect(await run('whoami', { env: unwritable })).toMatchObject({ exitCode: 0 });
    const email = await addAccount();
    const kept = await run(`login ${email} --password-stdin`, { env: unwritable, input: password });
    expect(kept).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('sessions cannot be kept') });
  });

  it('is whoever signed in last by hand, if nobody else did', async () => {
    const one = await signInAs();
    expect(await runJson('whoami')).toMatchObject({ user: { email: one } });
    expect(await runJson('orders place --item espresso --as vip@twolane.test')).toMatchObject({
      order: { lane: 'vip' },
    });
    const other = await signInAs();
    const asked = await run('orders list');
    expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`--as ${one}\n  --as ${other}`) });
    expect(await runJson(`whoami --as ${one.toUpperCase()}`)).toMatchObject({ user: { email: one } });
    await run(`logout ${one}`);
    expect(await runJson('whoami')).toMatchObject({ user: { email: other } });
  });
});

describe('users', () => {
  it('adds the first manager, whose role then holds at once', async () => {
    const email = await signInAs('manager');
    expect(await run('bots add')).toMatchObject({ exitCode: 0 });
    expect(await run(`users role ${email.toUpperCase()} normal`)).toEqual({
      exitCode: 0,
      stdout: `${email} is NORMAL (was MANAGER)\n`,
      stderr: '',
    });
    expect(await run('bots add')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('forbidden (403)') });
    expect(await runJson('whoami')).toMatchObject({ user: { email, role: 'NORMAL' } });
  });

  it('makes a password that can be signed in with, and shows it once', async () => {
    const { stdout } = await run('users add robot@shop.example --name Robot --role BOT --generate');
    const [, generated = ''] = /robot@shop\.example added as BOT\n.*: (\S{20,})\n$/.exec(stdout) ?? [];
    const login = await run('login robot@shop.example --password-stdin', { input: generated });
    expect(login).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('signed in as robot@shop.example (BOT)'),
    });
    expect(await readFile(sessionsFile, 'utf8')).not.toContain(generated);
  });

  it('lists, by role, by search, and page by page', async () => {
    const email = await addAccount('VIP');
    const { users } = await runJson<{ users: User[] }>(`users list --role vip --search ${email}`);
    expect(users.map((user) => user.email)).toEqual([email]);
    const first = await runJson<{ users: User[]; nextCursor: string }>('users list --limit 1');
    const second = await runJson<{ users: User[] }>(`users list --limit 1 --cursor ${first.nextCursor}`);
    expect(second.users[0]!.email).not.toBe(first.users[0]!.email);
    expect((await run('users list')).stdout).toMatch(
      /^E-MAIL +NAME +ROLE +SINCE\n.*normal@twolane\.test +\S+ \S+ +NORMAL/,
    );
  });

  it.each([
    [
      'an e-mail that is taken',
      'users add vip@twolane.test --name Vip --role VIP --generate',
      1,
      /email_taken \(409\)/,
    ],
    ['the last manager’s own demotion', 'users role manager@twolane.test normal', 1, /last_manager \(409\)/],
    ['the last manager’s end', 'users remove manager@twolane.test --yes', 1, /last_manager \(409\)/],
    ['a password for nobody', 'users password nobody@shop.example --generate', 1, /there is no account nobody@shop/],
    ['a role for nobody', 'users role nobody@shop.example VIP', 1, /there is no account nobody@shop\.example/],
    ['a role that is none', 'users role vip@twolane.test CHEF', 2, /NORMAL, VIP, MANAGER, BOT/],
    ['a name that is missing', 'users add x@shop.example --role VIP', 2, /--name/],
    ['two passwords', 'users add x@shop.example --name X --role VIP --generate --password-stdin', 2, /exclude/],
    ['no terminal to ask at', 'users add x@shop.example --name X --role VIP', 2, /--password-stdin/],
  ])('refuses %s', async (_, command, exitCode, said) => {
    expect(await run(command)).toMatchObject({ exitCode, stdout: '', stderr: expect.stringMatching(said) });
  });

  it('says which field the server does not take', async () => {
    const short = await run('users add x@shop.example --name X --role VIP --password-stdin', { input: 'short' });
    expect(short).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/input_invalid .*\n +password: /) });
  });

  it('is the admin’s alone', async () => {
    const env = { TWOLANE_URL: engine.web.url, ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: 'wrong' };
    expect(await run('users list', { env })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('ADMIN_PASSWORD'),
    });
  });
});

import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSessions, type Session } from './session-file.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'session-file-'));
});
afterEach(() => rm(home, { recursive: true }));

function sessionOf(email: string, changes: Partial<Session> = {}): Session {
  return {
    server: 'https://shop.example',
    email,
    accessToken: 'access',
    renewAtMs: Date.now() + 60_000,
    refreshToken: `refresh-${email}`,
    isAutomatic: false,
    ...changes,
  };
}
const add = (session: Session) => (sessions: Session[]) => [...sessions, session];
const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

it('keeps sessions from one command to the next, where nobody else can read them', async () => {
  const folder = path.join(home, '.config', 'twolane');
  const session = sessionOf('mara@shop.example');
  await openSessions({ HOME: home }).change(add(session));
  expect(await openSessions({ HOME: home }).read()).toEqual([session]);
  expect(await readdir(folder)).toEqual(['sessions.json']);
  expect([await modeOf(folder), await modeOf(path.join(folder, 'sessions.json'))]).toEqual(['700', '600']);
});

it('loses nobody’s entry when many write at once', async () => {
  const emails = Array.from({ length: 40 }, (_, index) => `user-${index}@shop.example`);
  await Promise.all(emails.map((email) => openSessions({ TWOLANE_CONFIG_DIR: home }).change(add(sessionOf(email)))));
  const kept = await openSessions({ TWOLANE_CONFIG_DIR: home }).read();
  expect(kept.map(({ email }) => email).sort()).toEqual(emails.sort());
});

it('leaves the file as it was when an edit fails, and lets the next one in', async () => {
  const sessions = openSessions({ TWOLANE_CONFIG_DIR: home });
  await sessions.change(add(sessionOf('mara@shop.example')));
  const before = await readFile(path.join(home, 'sessions.json'), 'utf8');
  const failing = sessions.change(() => {
    throw new RangeError('on purpose');
  });
  await expect(failing).rejects.toThrow(/on purpose|cannot be kept/);
  expect(await readFile(path.join(home, 'sessions.json'), 'utf8')).toBe(before);
  await sessions.change(add(sessionOf('nora@shop.example')));
  expect(await sessions.read()).toHaveLength(2);
});

it('does not wait for ever for a command that was killed while it wrote', async () => {
  const lock = path.join(home, 'sessions.json.lock');
  await writeFile(lock, '');
  await utimes(lock, new Date(0), new Date(0));
  const sessions = openSessions({ TWOLANE_CONFIG_DIR: home });
  await sessions.change(add(sessionOf('mara@shop.example')));
  expect(await sessions.read()).toHaveLength(1);
});

it('looks where it is told: TWOLANE_CONFIG_DIR, then an absolute XDG_CONFIG_HOME, then the home', async () => {
  const [told, xdg] = [path.join(home, 'told'), path.join(home, 'xdg')];
  const env = { TWOLANE_CONFIG_DIR: told, XDG_CONFIG_HOME: xdg, HOME: home };
  await openSessions(env).change(add(sessionOf('told@shop.example')));
  await openSessions({ ...env, TWOLANE_CONFIG_DIR: undefined }).change(add(sessionOf('xdg@shop.example')));
  await openSessions({ HOME: home, XDG_CONFIG_HOME: 'relative' }).change(add(sessionOf('home@shop.example')));
  const holds = async (folder: string) =>
    /"(\w+)@/.exec(await readFile(path.join(folder, 'sessions.json'), 'utf8'))?.[1];
  expect(await Promise.all([told, path.join(xdg, 'twolane'), path.join(home, '.config/twolane')].map(holds))).toEqual([
    'told',
    'xdg',
    'home',
  ]);
});

it('forgets sample accounts of servers that are long gone, and nobody else', async () => {
  const sessions = openSessions({ TWOLANE_CONFIG_DIR: home });
  await sessions.change(() => [
    sessionOf('old@twolane.test', { isAutomatic: true, renewAtMs: 0 }),
    sessionOf('new@twolane.test', { isAutomatic: true }),
    sessionOf('mara@shop.example', { renewAtMs: 0 }),
  ]);
  expect((await sessions.read()).map(({ email }) => email)).toEqual(['new@twolane.test', 'mara@shop.example']);
});

it('says so when the file is not its own', async () => {
  await writeFile(path.join(home, 'sessions.json'), '{"sessions": [{}]}');
  await expect(openSessions({ TWOLANE_CONFIG_DIR: home }).read()).rejects.toThrow(/not what the CLI writes/);
});

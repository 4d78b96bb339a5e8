import { type Command, InvalidArgumentError } from 'commander';
import { openSessions, type SessionStore } from './accounts/session-file.ts';
import { SignIn } from './accounts/sign-in.ts';
import { whoIsMeant } from './accounts/who-is-meant.ts';
import type { Patience, Server } from './api-client.ts';
import { parseDurationMs } from './duration.ts';
import { withProjectSettings } from './project-settings.ts';
import { findServerUrl, isLoopback } from './server-address.ts';
import { printable, type Terminal, writeLine } from './terminal.ts';

export const accounts = {
  normal: 'normal@twolane.test',
  vip: 'vip@twolane.test',
  manager: 'manager@twolane.test',
} as const;

/** Options that every command takes, before or after its name. */
export interface GlobalOptions {
  url?: string;
  as?: string;
  json?: boolean;
}

const shortPatience: Patience = { overloadedMs: 10_000, unreachableMs: 0 };

/** The server, spoken to as --as says, else as whoever is signed in, else (on this machine) as a sample account. */
export async function connect(
  terminal: Terminal,
  command: Command,
  sampleAccount: string,
): Promise<Server & { user: string }> {
  const sessions = openSessions(terminal.env);
  const server = await reach(terminal, command, sessions);
  const { as } = command.optsWithGlobals<GlobalOptions>();
  return { ...server, user: as ?? (await whoIsMeant(sessions, server.url, sampleAccount)) };
}

/** Before somebody's money is touched: whose word it is, where the command line does not say so itself. */
export function sayWhoSpeaks(terminal: Terminal, command: Command, { user }: { user: string }): void {
  if (command.optsWithGlobals<GlobalOptions>().as !== undefined || wantsJson(command)) return;
  writeLine(terminal.stdout, `as ${printable(user)} (--as names another account)`);
}

/** The server, for what is public, what is the admin’s, and for signing in. */
export function connectAsNobody(terminal: Terminal, command: Command): Promise<Server> {
  return reach(terminal, command, openSessions(terminal.env));
}

async function reach(terminal: Terminal, command: Command, sessions: SessionStore): Promise<Server> {
  const { signal, projectFolder } = terminal;
  const here = await withProjectSettings(terminal);
  const url = await findServerUrl({ env: here, projectFolder }, command.optsWithGlobals<GlobalOptions>().url);
  const env = isLoopback(url) ? here : terminal.env;
  return { url, user: null, tokens: new SignIn(sessions), env, signal, patience: shortPatience };
}

export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<GlobalOptions>().json === true;
}

export function parsePositive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('Not a number above 0.');
  return value;
}

export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('Not a whole number from 1.');
  }
  return value;
}

export function parseDuration(text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined) throw new InvalidArgumentError('Not a duration such as 90s, 3m or 1h30m.');
  return durationMs;
}

/** Examples under a command's help: what to type, and what for. */
export function examples(...lines: [command: string, purpose: string][]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, purpose]) => `  $ ${command.padEnd(width)}  # ${purpose}`).join('\n')}`;
}

/** Under the help of what only the admin may do. */
export const needsAdmin =
  '\nSigns in with ADMIN_USERNAME and ADMIN_PASSWORD; for a server on this machine also from .env, else the demo’s.';

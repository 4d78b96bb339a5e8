import { type Command, InvalidArgumentError } from 'commander';
import type { Patience, Server } from './api-client.ts';
import { parseDurationMs } from './duration.ts';
import { findServerUrl } from './server-address.ts';
import type { Terminal } from './terminal.ts';

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

export async function connect(
  terminal: Terminal,
  command: Command,
  defaultUser: string,
  patience: Patience = shortPatience,
): Promise<Server> {
  const { url, as: user = defaultUser } = command.optsWithGlobals<GlobalOptions>();
  return { url: await findServerUrl(terminal, url), user, env: terminal.env, signal: terminal.signal, patience };
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

import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { BadUsageError } from '../failures.ts';
import { readPassword } from '../prompt.ts';
import { type Terminal, writeLine } from '../terminal.ts';

export interface NewPasswordOptions {
  passwordStdin?: boolean;
  generate?: boolean;
}

/** The ways to give somebody a password. */
export function takeNewPassword(command: Command): Command {
  return command
    .option('--password-stdin', 'read the password from stdin (default: asks for it)')
    .option('--generate', 'make a password, and show it this once');
}

/** Typed twice, piped in, or made up: what was made up is `shown`, in JSON, and else by `showPassword`. */
export async function chooseNewPassword(
  terminal: Terminal,
  { passwordStdin = false, generate = false }: NewPasswordOptions,
  question?: string,
): Promise<{ password: string; shown: { password?: string } }> {
  if (generate && passwordStdin) throw new BadUsageError('--generate and --password-stdin exclude each other');
  if (!generate)
    return {
      password: await readPassword(terminal, { fromStdin: passwordStdin, twice: true, ...(question && { question }) }),
      shown: {},
    };
  const password = randomBytes(18).toString('base64url');
  return { password, shown: { password } };
}

export function showPassword({ stdout }: Terminal, { password }: { password?: string }): void {
  if (password !== undefined) writeLine(stdout, `password, shown only now: ${password}`);
}

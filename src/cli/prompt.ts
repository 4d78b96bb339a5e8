import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { newPasswordSchema } from '../domain/user.ts';
import { BadUsageError, InterruptedError } from './failures.ts';
import { type Terminal, writeLine } from './terminal.ts';

type Asked = Pick<Terminal, 'stdin' | 'stderr' | 'signal'>;

/** Asks on the terminal for one line; null when it is closed instead (Ctrl-D). Throws on Ctrl-C. */
export async function askLine(
  { stdin, stderr, signal }: Asked,
  question: string,
  { isSecret = false } = {},
): Promise<string | null> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: stdin, output: isSecret ? silent : stderr, terminal: true });
  if (isSecret) stderr.write(question); // the terminal does not echo any more: who answers at once is not shown either
  const left = new AbortController();
  let isInterrupted = false;
  prompt.once('close', () => left.abort()); // Ctrl-D
  prompt.once('SIGINT', () => {
    isInterrupted = true; // the prompt holds the terminal in raw mode: no signal reaches the process
    left.abort();
  });
  try {
    return await prompt.question(isSecret ? '' : question, { signal: AbortSignal.any([signal, left.signal]) });
  } catch (error) {
    if (signal.aborted || isInterrupted) throw new InterruptedError();
    if (left.signal.aborted) return null;
    throw error;
  } finally {
    prompt.close();
    if (isSecret) writeLine(stderr); // the Enter that was not shown
  }
}

/** A password from the person at the terminal, or all of stdin with `fromStdin`: never an argument, which others could read. */
export async function readPassword(
  terminal: Terminal,
  { fromStdin, twice, question = 'Password: ' }: { fromStdin: boolean; twice: boolean; question?: string },
): Promise<string> {
  if (fromStdin) return readPiped(terminal);
  if (!terminal.stdin.isTTY) {
    throw new BadUsageError('there is no terminal to ask for the password', ['pipe it in with --password-stdin']);
  }
  const password = await askLine(terminal, question, { isSecret: true });
  if (!password) throw new BadUsageError('no password was given');
  if (twice) assertNewPassword(password);
  if (twice && (await askLine(terminal, 'The same again: ', { isSecret: true })) !== password) {
    throw new BadUsageError('these were two different passwords');
  }
  return password;
}

/** Before it is typed again: the server would refuse it. */
function assertNewPassword(password: string): void {
  const [issue] = newPasswordSchema.safeParse(password).error?.issues ?? [];
  if (issue?.code === 'too_small') throw new BadUsageError(`a new password ${issue.message}`);
}

/** The current password and a new one: asked for, the new one twice, or the two lines of stdin. */
export async function readPasswordChange(
  terminal: Terminal,
  { fromStdin, of }: { fromStdin: boolean; of: string },
): Promise<{ currentPassword: string; newPassword: string }> {
  if (!fromStdin) {
    const currentPassword = await readPassword(terminal, {
      fromStdin,
      twice: false,
      question: `Current password of ${of}: `,
    });
    return {
      currentPassword,
      newPassword: await readPassword(terminal, { fromStdin, twice: true, question: 'New password: ' }),
    };
  }
  const [currentPassword, newPassword, ...more] = (await readPiped(terminal)).split(/\r?\n/);
  if (!currentPassword || !newPassword || more.length > 0)
    throw new BadUsageError('stdin takes two lines: the current password, then the new one');
  return { currentPassword, newPassword };
}

/** Asks before what cannot be taken back. */
export async function confirm(terminal: Asked, question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await askLine(terminal, `${question} [y/N] `))?.trim() ?? '');
}

/** Without the line break that `echo` leaves at its end. */
async function readPiped({ stdin, signal }: Terminal): Promise<string> {
  let text = '';
  stdin.setEncoding('utf8');
  stdin.on('data', (chunk) => {
    text += chunk;
  });
  try {
    await once(stdin, 'end', { signal });
  } catch (error) {
    if (signal.aborted) throw new InterruptedError();
    throw error;
  }
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new BadUsageError('stdin holds no password');
  return password;
}

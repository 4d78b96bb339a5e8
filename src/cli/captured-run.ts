import { PassThrough } from 'node:stream';
import { runCli } from './run-cli.ts';
import type { Output, Terminal } from './terminal.ts';

export interface RunOptions {
  env: Record<string, string>;
  /** Where a `.data/run.json` would be looked for. */
  projectFolder?: string;
  signal?: AbortSignal;
  isTty?: boolean;
  /** What is piped in. */
  input?: string;
  /** What a person types, each line when a question has been asked. */
  typed?: string[];
  onOutput?: (soFar: string) => void;
}

export interface CapturedRun {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line as a shell would, and keeps what it says: for tests. */
export async function runCaptured(
  args: string[],
  { env, projectFolder = '/', signal, isTty = false, input, typed, onOutput }: RunOptions,
): Promise<CapturedRun> {
  const said = { stdout: '', stderr: '' };
  const outputOf = (name: keyof typeof said): Output => {
    const output = Object.assign(new PassThrough(), isTty ? { isTTY: true, columns: 100, rows: 40 } : {});
    output.on('data', (bytes) => {
      said[name] += String(bytes);
      onOutput?.(said[name]);
    });
    return output;
  };
  const stdin: Terminal['stdin'] & PassThrough = new PassThrough();
  if (input !== undefined) stdin.end(input);
  const stderr = outputOf('stderr');
  if (typed) {
    stdin.isTTY = true;
    const lines = [...typed];
    stderr.on('data', (bytes) => {
      const isQuestion = /(: |\? \[y\/N\] )$/.test(String(bytes));
      if (isQuestion) setImmediate(() => stdin.write(`${lines.shift() ?? ''}\r`));
    });
  }
  const exitCode = await runCli(args, {
    stdin,
    stdout: outputOf('stdout'),
    stderr,
    env,
    projectFolder,
    signal: signal ?? new AbortController().signal,
  });
  return { exitCode, ...said };
}

export function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/\u001b\[[0-9;?]*[a-zA-Z]/g, '');
}

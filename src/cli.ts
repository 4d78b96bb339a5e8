import path from 'node:path';
import { runCli } from './cli/run-cli.ts';

// The entry point of the `twolane` command: the only file of the CLI that touches the process.

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => stop.abort()); // once: a second Ctrl-C ends at once, as a shell user expects
}

for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0); // `twolane board | head`: the reader has seen enough
  });
}

process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  projectFolder: path.dirname(import.meta.dirname),
  signal: stop.signal,
});

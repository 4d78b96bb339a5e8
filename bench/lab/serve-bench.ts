/**
 * The other end of program.ts, for the programs of the bench: says that it is ready, works when told to, ends when asked to
 * or when the bench is gone.
 */
export function serveBench(program: {
  ready?: object;
  work?: () => Promise<object>;
  close: () => Promise<void>;
}): void {
  const { ready = {}, work, close } = program;
  const end = (code: number) => () => {
    close().then(
      () => process.exit(code),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', end(0));
  process.once('disconnect', end(1));
  process.on('message', () => {
    work?.().then(
      (result) => process.send?.(result),
      (error: Error) => {
        process.stderr.write(`${error.stack}\n`);
        process.exit(1);
      },
    );
  });
  process.send?.(ready);
}

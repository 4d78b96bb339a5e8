/** What the shell is told. Interrupted is what a shell itself would report for Ctrl-C. */
export const exitCodes = { ok: 0, failed: 1, badUsage: 2, unreachable: 3, interrupted: 130 } as const;

/** A failure that the person at the terminal can act on: said in words, without a stack. */
export class CliError extends Error {
  readonly exitCode: number;
  /** Lines under the title: the code, what was wrong where, and what to do. */
  readonly hints: string[];

  constructor(title: string, hints: string[] = [], exitCode: number = exitCodes.failed, options: ErrorOptions = {}) {
    super(title, options);
    this.name = new.target.name;
    this.hints = hints;
    this.exitCode = exitCode;
  }
}

export class BadUsageError extends CliError {
  constructor(title: string, hints: string[] = []) {
    super(title, hints, exitCodes.badUsage);
  }
}

export class UnreachableError extends CliError {
  constructor(url: string, reason: string, cause?: unknown) {
    super(
      `no twolane server can be reached at ${url} (${reason})`,
      ['start one with `npm start`, or say where it is with --url or TWOLANE_URL'],
      exitCodes.unreachable,
      { cause },
    );
  }
}

/** The connection broke while the server may have been doing what it was asked. */
export class ConnectionLostError extends CliError {
  constructor(url: string, reason: string, hints: string[], cause?: unknown) {
    super(`the connection to ${url} was lost before the answer came (${reason})`, hints, exitCodes.unreachable, {
      cause,
    });
  }
}

export class InterruptedError extends CliError {
  constructor() {
    super('stopped', [], exitCodes.interrupted);
  }
}

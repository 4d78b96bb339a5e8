/** What whoever starts a process can put right. Its message says all there is to say. */
export class StartUpError extends Error {}

/** For the last line of a process that cannot start: a stack only where the fault is ours. */
export function describeStartFailure(error: unknown): string {
  if (error instanceof StartUpError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

import { pause, reasonOf, type Server } from './api-client.ts';
import { EventParser, type ServerEvent } from './event-parser.ts';
import { CliError, UnreachableError } from './failures.ts';
import { parseRetryAfterMs, RefusedError } from './problem.ts';

export interface StreamOptions {
  path: string;
  /** Told when the connection is lost, and `undefined` when it is there again. */
  onTrouble?: (reason: string | undefined) => void;
  /** The server sends something at least every 15 s; a connection that is silent for longer is dead. */
  silenceMs?: number;
}

/**
 * The events of a stream, over as many connections as it takes: each one goes on after the last id that was seen.
 * Fails when even the first connection cannot be made; ends when the server's signal is aborted.
 */
export async function* followEvents(
  server: Server,
  { path, onTrouble, silenceMs = 40_000 }: StreamOptions,
): AsyncGenerator<ServerEvent, void, void> {
  let lastEventId = '';
  let failures = 0;
  let hasConnected = false;
  while (!server.signal.aborted) {
    const parser = new EventParser(lastEventId);
    try {
      for await (const text of readStream(server, path, lastEventId, silenceMs)) {
        if (failures > 0) onTrouble?.(undefined);
        failures = 0;
        hasConnected = true;
        for (const event of parser.push(text)) {
          lastEventId = event.id; // only now: an event that was cut off is asked for again
          yield event;
        }
      }
      if (!server.signal.aborted) onTrouble?.('the server closed the stream');
    } catch (error) {
      if (server.signal.aborted) return;
      if (!hasConnected || !isPassing(error)) throw error;
      onTrouble?.(error instanceof CliError ? error.message : reasonOf(error));
    }
    failures += 1;
    if (!server.signal.aborted) await pauseOrEnd(parser.retryMs ?? Math.min(3_000, 100 * 2 ** failures), server.signal);
  }
}

function isPassing(error: unknown): boolean {
  return !(error instanceof RefusedError) || error.status >= 500 || error.status === 429;
}

async function pauseOrEnd(durationMs: number, signal: AbortSignal): Promise<void> {
  const jitter = 0.75 + Math.random() / 2; // many viewers lose the same server at the same moment
  await pause(durationMs * jitter, signal).catch(() => undefined); // aborted: the loop sees it
}

async function* readStream(
  server: Server,
  path: string,
  lastEventId: string,
  silenceMs: number,
): AsyncGenerator<string, void, void> {
  const silence = new AbortController();
  const watchdog = setTimeout(() => silence.abort(new Error(`silent for ${silenceMs / 1_000} s`)), silenceMs);
  try {
    const response = await openStream(server, path, lastEventId, AbortSignal.any([server.signal, silence.signal]));
    watchdog.refresh();
    const decoder = new TextDecoder();
    for await (const bytes of response) {
      watchdog.refresh();
      yield decoder.decode(bytes, { stream: true });
    }
  } finally {
    clearTimeout(watchdog);
  }
}

async function openStream(
  server: Server,
  path: string,
  lastEventId: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  let response: Response;
  try {
    response = await fetch(new URL(path, server.url), {
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }),
      },
      signal,
    });
  } catch (error) {
    throw new UnreachableError(server.url.origin, reasonOf(error), error);
  }
  if (response.ok && response.body !== null) return response.body;
  const body: unknown = await response.json().catch(() => undefined); // not JSON: the status speaks for itself
  throw new RefusedError(response.status, body, parseRetryAfterMs(response.headers.get('retry-after'), Date.now()));
}

import type { ServerResponse } from 'node:http';
import { EngineError } from '../../domain/errors.ts';
import type { Logger } from '../../log.ts';
import { heartbeatFrame } from './event-frames.ts';

const maxBufferedBytes = 1024 * 1024;
const heartbeatMs = 10_000;

/** The open streams of this process. */
export class BoardViewers {
  readonly #log: Logger;
  readonly #maxViewers: number;
  readonly #open = new Set<ServerResponse>();
  readonly #heartbeat = setInterval(() => this.tell(heartbeatFrame), heartbeatMs).unref();

  constructor(log: Logger, { maxViewers = 10_000 }: { maxViewers?: number } = {}) {
    this.#log = log;
    this.#maxViewers = maxViewers;
  }

  get count(): number {
    return this.#open.size;
  }

  assertRoom(): void {
    if (this.#open.size >= this.#maxViewers)
      throw new EngineError('service_unavailable', 'Too many people watch the board here. Try again in a moment.', {
        retryAfterSeconds: 5,
      });
  }

  add(response: ServerResponse, frames: string): void {
    if (response.destroyed) return;
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
    response.on('error', () => this.#open.delete(response)); // it broke while we wrote
    response.write(frames);
  }

  tell(frames: string): void {
    const bytes = Buffer.from(frames);
    for (const response of this.#open) {
      response.write(bytes);
      if (response.writableLength <= maxBufferedBytes) continue;
      this.#log.info({ bufferedBytes: response.writableLength }, 'slow viewer dropped'); // it comes back, and resumes
      this.#open.delete(response);
      response.destroy();
    }
  }

  /** Ends all streams; their viewers come back by themselves. */
  end(): void {
    for (const response of this.#open) response.end();
    this.#open.clear();
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.end();
  }
}

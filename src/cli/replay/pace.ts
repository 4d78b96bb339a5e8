/** The file's clock against ours: one starts with the other and runs `speed` times as fast. */
export class Pace {
  readonly speed: number;
  readonly #fileStartMs: number;
  #realStartMs: number;

  constructor(speed: number, fileStartMs: number, nowMs: number) {
    this.speed = speed;
    this.#fileStartMs = fileStartMs;
    this.#realStartMs = nowMs;
  }

  dueInMs(fileAtMs: number, nowMs: number): number {
    return this.#realStartMs + (fileAtMs - this.#fileStartMs) / this.speed - nowMs;
  }

  fileClockMs(nowMs: number): number {
    return this.#fileStartMs + (nowMs - this.#realStartMs) * this.speed;
  }

  /** Makes this moment of the file now: what an earlier replay had sent is not waited for again. */
  jumpTo(fileAtMs: number, nowMs: number): void {
    this.#realStartMs = nowMs - (fileAtMs - this.#fileStartMs) / this.speed;
  }
}

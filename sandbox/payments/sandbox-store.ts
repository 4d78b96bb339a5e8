import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface Collection<Value> {
  get(key: string): Value | undefined;
  /** Also after a kept object was changed in place: this is what says that there is something to save. */
  set(key: string, value: Value): void;
  delete(key: string): void;
  /** In the order in which they were first set. */
  values(): Iterable<Value>;
  entries(): Iterable<[string, Value]>;
  readonly size: number;
}

const saveAfterMs = 250;
/** A large state takes longer to write: of the whole time at most a tenth is spent on that. */
const restPerSave = 9;

/** Everything the sandbox knows, as named maps of plain JSON values; in one file, when it is given one. */
export class SandboxStore {
  readonly #file: string | null;
  readonly #collections = new Map<string, Map<string, unknown>>();
  #timer: NodeJS.Timeout | null = null;
  #lastSaveMs = 0;

  constructor(file: string | null = null) {
    this.#file = file;
    if (file === null) return;
    for (const [name, entries] of Object.entries(readState(file))) this.#collections.set(name, new Map(entries));
  }

  collection<Value>(name: string): Collection<Value> {
    const known = this.#collections.get(name) ?? new Map<string, unknown>();
    this.#collections.set(name, known);
    const map = known as Map<string, Value>; // each name has one owner, who alone writes there
    return {
      get: (key) => map.get(key),
      set: (key, value) => {
        map.set(key, value);
        this.#saveSoon();
      },
      delete: (key) => {
        if (map.delete(key)) this.#saveSoon();
      },
      values: () => map.values(),
      entries: () => map.entries(),
      get size() {
        return map.size;
      },
    };
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#save();
  }

  #saveSoon(): void {
    if (this.#file === null || this.#timer) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#save();
      },
      Math.max(saveAfterMs, this.#lastSaveMs * restPerSave),
    );
    this.#timer.unref();
  }

  /** Beside the old one, and then in its place: a crash leaves one of the two, never half of one. */
  #save(): void {
    if (this.#file === null) return;
    const startedMs = performance.now();
    const state = Object.fromEntries([...this.#collections].map(([name, map]) => [name, [...map]]));
    const fresh = `${this.#file}.new`;
    writeFileSync(fresh, JSON.stringify(state), { mode: 0o600 });
    renameSync(fresh, this.#file);
    this.#lastSaveMs = performance.now() - startedMs;
  }
}

function readState(file: string): Record<string, [string, unknown][]> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new Error(`the sandbox cannot read its state; remove ${file} to begin anew`, { cause: error });
  }
}

export interface GroupCommitOptions<Item, Result> {
  /** Writes a group in one transaction; gives one result per item, in the same order. An `Error` among them fails that item alone. */
  write(items: Item[]): Promise<(Result | Error)[]>;
  maxBatch: number;
  /** Two items with the same key never share a group: the second sees what the first has written. */
  keyOf?(item: Item): string | undefined;
  /** A fault of one item, which a smaller group can tell from its neighbours. */
  isItemFault(error: unknown): boolean;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Writes what waits in groups, one group at a time. The first item starts the group and waits for no timer; whatever arrives
 * while a group is under way forms the next one, so groups grow with the load. Order of arrival is order of writing.
 */
export class GroupCommit<Item, Result> {
  readonly #options: GroupCommitOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #flight: Promise<void> | undefined;

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  submit(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#flight ??= this.#fly();
    });
  }

  /** Resolves when everything submitted so far is written or refused. */
  async settle(): Promise<void> {
    while (this.#flight) await this.#flight;
  }

  async #fly(): Promise<void> {
    // Requests that were read from their sockets in the same tick share the first group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#write(this.#takeBatch());
    this.#flight = undefined;
  }

  #takeBatch(): Waiting<Item, Result>[] {
    const { maxBatch, keyOf } = this.#options;
    if (!keyOf) return this.#waiting.splice(0, maxBatch);
    const batch: Waiting<Item, Result>[] = [];
    const later: Waiting<Item, Result>[] = [];
    const keys = new Set<string>();
    for (const entry of this.#waiting) {
      const key = keyOf(entry.item);
      if (batch.length >= maxBatch || (key !== undefined && keys.has(key))) {
        later.push(entry);
      } else {
        if (key !== undefined) keys.add(key);
        batch.push(entry);
      }
    }
    this.#waiting = later;
    return batch;
  }

  async #write(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.write(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result instanceof Error) reject(result);
        else resolve(result as Result); // one result per item is the contract of write
      });
    } catch (error) {
      if (batch.length > 1 && this.#options.isItemFault(error)) {
        const middle = batch.length >> 1;
        await this.#write(batch.slice(0, middle));
        await this.#write(batch.slice(middle));
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }
}

import type { EventCursor, StreamedEvent } from '../../db/order-events.ts';
import { compareCursors } from './event-cursor.ts';

const ringSize = 5_000;

/** The latest events, for viewers who were away for a moment. */
export class EventRing {
  readonly #size: number;
  #events: StreamedEvent[] = [];
  /** Everything after this place is still here. */
  #floor: EventCursor;

  constructor(floor: EventCursor, size = ringSize) {
    this.#floor = floor;
    this.#size = size;
  }

  push(events: readonly StreamedEvent[]): void {
    this.#events.push(...events);
    if (this.#events.length < 2 * this.#size) return; // dropped in bulk: shifting each would move them all
    const dropped = this.#events.splice(0, this.#events.length - this.#size);
    this.#floor = dropped.at(-1)?.cursor ?? this.#floor;
  }

  /** What came after a place; null when some of it is no longer here. */
  after(cursor: EventCursor): StreamedEvent[] | null {
    if (compareCursors(cursor, this.#floor) < 0) return null;
    const first = this.#events.findLastIndex((event) => compareCursors(event.cursor, cursor) <= 0) + 1;
    return this.#events.slice(first);
  }
}

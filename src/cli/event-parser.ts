export interface ServerEvent {
  /** The last id the stream has named, this event's own or an earlier one's. */
  id: string;
  event: string;
  data: string;
}

/** Cuts a `text/event-stream` into events, however the network has cut it into pieces (WHATWG HTML, 9.2.6). */
export class EventParser {
  lastEventId = '';
  /** What the server asks to wait before a reconnection. */
  retryMs: number | undefined;
  #rest = '';
  #event = '';
  #data: string[] = [];

  constructor(lastEventId = '') {
    this.lastEventId = lastEventId;
  }

  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    // a CR at the very end may be the first half of a CRLF: it stays until the next piece shows
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') this.#dispatch(events);
      else this.#take(line);
    }
    return events;
  }

  #take(line: string): void {
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon); // a comment has an empty field name
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(events: ServerEvent[]): void {
    if (this.#data.length > 0) {
      events.push({ id: this.lastEventId, event: this.#event || 'message', data: this.#data.join('\n') });
    }
    this.#event = '';
    this.#data = [];
  }
}

import type { StreamedEvent } from '../../db/order-events.ts';
import type { BoardOrderEvent, BotCounts } from '../../domain/board.ts';
import type { BoardPicture } from './board-picture.ts';
import { cursorText } from './event-cursor.ts';

/** What stands on the wire of `text/event-stream`. Each frame ends with an empty line. */
export const heartbeatFrame = ': heartbeat\n\n';
export const retryFrame = 'retry: 1000\n\n';

export function orderFrames(events: readonly StreamedEvent[]): string {
  return events
    .map(({ cursor, number, lane, from, to, botNumber, at }) =>
      frame(
        cursorText(cursor),
        'order',
        JSON.stringify({ number, lane, from, to, botNumber, at } satisfies BoardOrderEvent),
      ),
    )
    .join('');
}

export const snapshotFrame = ({ lastEventId, json }: BoardPicture): string => frame(lastEventId, 'snapshot', json);

export const botsFrame = (lastEventId: string, bots: BotCounts): string =>
  frame(lastEventId, 'bots', JSON.stringify(bots));

const frame = (id: string, event: string, data: string) => `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;

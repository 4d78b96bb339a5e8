import {
  countMovesAfter,
  listComplete,
  listCompletedAfter,
  listPending,
  listProcessing,
  readAtSnapshot,
} from '../../db/board.ts';
import type { Database } from '../../db/pool.ts';
import type { Db } from '../../db/sql.ts';
import type { Board, BotCounts } from '../../domain/board.ts';
import type { MediaLibrary } from '../../operations/media-library.ts';
import { addMoves, type BoardTally, completeShown, latestCompleted } from './board-tally.ts';
import { cursorText } from './event-cursor.ts';

/** What is known between two events. */
export interface BoardState {
  readonly tally: BoardTally;
  readonly bots: BotCounts;
  /** Events wait for a transaction for too long: pictures count them although they are not told yet. */
  readonly isHeld: boolean;
}

/** The whole board, written once for everybody who asks. */
export interface BoardPicture {
  /** Its counts hold at the tally's cursor, unless it was held: then nothing may be added to it. */
  state: BoardState;
  lastEventId: string;
  json: string;
  /** Of everything but the time. */
  content: string;
  paintedAt: number;
}

/** The lists are read after the cursor, so they may be ahead of the counts by a few events, which viewers are told again. */
export async function paintBoard(
  { database, media }: { database: Database; media: Pick<MediaLibrary, 'urlOf'> },
  state: BoardState,
): Promise<BoardPicture> {
  const paintedAt = performance.now();
  const { tally, bots, isHeld } = state;
  const content = await readAtSnapshot(database.pool, async (transaction) => {
    const { counts, completed } = isHeld ? await lookAhead(transaction, tally) : tally;
    const pending = await listPending(transaction);
    const processing = await listProcessing(transaction);
    const complete = (await listComplete(transaction, completed)).map((order) => ({
      ...order,
      soundUrl: media.urlOf(order.soundUrl),
    }));
    return { pending, processing, complete, bots, counts };
  });
  const lastEventId = eventIdAt(state);
  const board: Board = { ...content, asOf: new Date().toISOString(), lastEventId };
  return { state, lastEventId, json: JSON.stringify(board), content: JSON.stringify(content), paintedAt };
}

async function lookAhead(transaction: Db, tally: BoardTally): Promise<Omit<BoardTally, 'cursor'>> {
  const newer = await listCompletedAfter(transaction, tally.cursor, completeShown);
  return {
    counts: addMoves(tally.counts, await countMovesAfter(transaction, tally.cursor)),
    completed: latestCompleted(newer, tally.completed),
  };
}

/** While events are held back it is no place in the stream: whoever comes back with it gets a new picture. */
export function eventIdAt({ tally, isHeld }: BoardState): string {
  return isHeld ? `${cursorText(tally.cursor)}-ahead` : cursorText(tally.cursor);
}

import type { DatabasePool } from 'slonik';
import {
  countMovesAfter,
  countOrders,
  findEventHorizon,
  listCompletedAfter,
  type MoveCount,
  readAtSnapshot,
} from '../../db/board.ts';
import type { EventCursor, StreamedEvent } from '../../db/order-events.ts';
import type { Db } from '../../db/sql.ts';
import type { Board } from '../../domain/board.ts';
import type { OrderStatus } from '../../domain/order-status.ts';

export const completeShown = 50;
const beginning: EventCursor = { xid: '0', id: '0' };

/** What the board says at a cursor, apart from its lists: kept by the events, so that nobody counts a million orders again. */
export interface BoardTally {
  readonly cursor: EventCursor;
  readonly counts: Readonly<Board['counts']>;
  /** The latest, newest first. */
  readonly completed: readonly number[];
}

/** Where a feed begins: before the oldest transaction that still runs. */
export function readTally(pool: DatabasePool): Promise<BoardTally> {
  return readAtSnapshot(pool, async (transaction) => {
    const { settled } = await findEventHorizon(transaction, beginning);
    const cursor = { xid: settled, id: '0' };
    const completed = await listCompletedAfter(transaction, beginning, completeShown);
    return { cursor, counts: await countAt(transaction, cursor), completed };
  });
}

export const readCountsAt = (pool: DatabasePool, cursor: EventCursor): Promise<Board['counts']> =>
  readAtSnapshot(pool, (transaction) => countAt(transaction, cursor));

/** All orders, less what the snapshot already sees of the moves after the cursor. */
async function countAt(transaction: Db, cursor: EventCursor): Promise<Board['counts']> {
  return addMoves(await countOrders(transaction), await countMovesAfter(transaction, cursor), -1);
}

export function addEvents(tally: BoardTally, events: readonly StreamedEvent[]): BoardTally {
  const finished = events.flatMap(({ number, to }) => (to === 'complete' ? [number] : [])).reverse();
  return {
    cursor: events.at(-1)?.cursor ?? tally.cursor,
    counts: addMoves(
      tally.counts,
      events.map(({ from, to }) => ({ from, to, count: 1 })),
    ),
    completed: latestCompleted(finished, tally.completed),
  };
}

export const latestCompleted = (newer: readonly number[], older: readonly number[]): number[] =>
  [...new Set([...newer, ...older])].slice(0, completeShown);

/** Counts after these moves; with `direction` -1, before them. */
export function addMoves(counts: Board['counts'], moves: readonly MoveCount[], direction: 1 | -1 = 1): Board['counts'] {
  const after = { ...counts };
  for (const { from, to, count } of moves) {
    if (isPlace(from)) after[from] -= direction * count;
    if (isPlace(to)) after[to] += direction * count;
  }
  return after;
}

const isPlace = (status: OrderStatus | null): status is keyof Board['counts'] =>
  status === 'pending' || status === 'processing' || status === 'complete';

import type { Board, BoardOrderEvent, BotCounts } from '../../domain/board.ts';
import { type Lane, lanes } from '../../domain/lane.ts';

export interface BoardState {
  /** In the order in which bots will take them: first those given back, then by arrival. */
  pending: Record<Lane, number[]>;
  processing: { number: number; lane: Lane; botNumber: number | null; startedAt: string }[];
  /** Newest first, the last few. */
  complete: { number: number; lane: Lane; completedAt: string }[];
  counts: Board['counts'];
  bots: BotCounts;
  /** The id of the last move of each order that moved lately, the one that moved last at the end. */
  lastMoves: Map<number, bigint>;
}

const completeShown = 50;
const movesKept = 5_000;

export function boardStateOf(board: Board): BoardState {
  const pendingIn = (lane: Lane) => board.pending.filter((order) => order.lane === lane).map(({ number }) => number);
  return {
    pending: { vip: pendingIn('vip'), normal: pendingIn('normal') },
    processing: [...board.processing],
    complete: [...board.complete],
    counts: { ...board.counts },
    bots: board.bots,
    lastMoves: new Map(),
  };
}

/**
 * What one move of one order does to the picture. The counts follow every move. The lists keep to the latest: the moves of an order
 * are made in the order of their ids, but a transaction can take its number early and write late, and is then told late.
 * `eventId` is the id of the stream, `xid-id`.
 */
export function moveOnBoard(state: BoardState, move: BoardOrderEvent, eventId: string): void {
  const id = BigInt(eventId.slice(eventId.indexOf('-') + 1));
  const lastId = state.lastMoves.get(move.number) ?? -1n;
  if (id === lastId) return; // told twice
  count(state, move.from, -1);
  count(state, move.to, 1);
  if (id < lastId) return;
  noteMove(state, move.number, id);
  takeOff(state, move.number);
  const { number, lane, botNumber, at } = move;
  if (move.to === 'pending') {
    if (move.from === 'processing') putBack(state.pending[lane], number);
    else state.pending[lane].push(number);
  } else if (move.to === 'processing') {
    state.processing.push({ number, lane, botNumber, startedAt: at });
  } else if (move.to === 'complete') {
    state.complete = [{ number, lane, completedAt: at }, ...state.complete].slice(0, completeShown);
  }
}

/** An order given back is the oldest of its lane again, except for others given back before it. */
function putBack(pending: number[], number: number): void {
  const younger = pending.findIndex((waiting) => waiting > number);
  pending.splice(younger === -1 ? pending.length : younger, 0, number);
}

function takeOff(state: BoardState, number: number): void {
  for (const lane of lanes) state.pending[lane] = state.pending[lane].filter((waiting) => waiting !== number);
  state.processing = state.processing.filter((order) => order.number !== number);
  state.complete = state.complete.filter((order) => order.number !== number);
}

function count({ counts }: BoardState, place: BoardOrderEvent['from'], change: 1 | -1): void {
  if (place === 'pending' || place === 'processing' || place === 'complete') counts[place] += change;
}

function noteMove({ lastMoves }: BoardState, number: number, id: bigint): void {
  lastMoves.delete(number);
  lastMoves.set(number, id);
  const [oldest] = lastMoves.keys();
  if (lastMoves.size > movesKept && oldest !== undefined) lastMoves.delete(oldest);
}

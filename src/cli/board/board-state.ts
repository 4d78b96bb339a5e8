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
}

const completeShown = 50;

export function boardStateOf(board: Board): BoardState {
  const pendingIn = (lane: Lane) => board.pending.filter((order) => order.lane === lane).map(({ number }) => number);
  return {
    pending: { vip: pendingIn('vip'), normal: pendingIn('normal') },
    processing: [...board.processing],
    complete: [...board.complete],
    counts: { ...board.counts },
    bots: board.bots,
  };
}

/** What one move of one order does to the picture. A move that the snapshot already holds changes nothing. */
export function moveOnBoard(state: BoardState, move: BoardOrderEvent): void {
  const wasAt = takeOff(state, move.number);
  if (wasAt === undefined && move.from !== null && move.from in state.counts) {
    countDown(state, move.from); // beyond the orders that a snapshot lists, but counted
  }
  const { number, lane, botNumber, at } = move;
  if (move.to === 'pending') {
    if (move.from === 'processing') putBack(state.pending[lane], number);
    else state.pending[lane].push(number);
    state.counts.pending += 1;
  } else if (move.to === 'processing') {
    state.processing.push({ number, lane, botNumber, startedAt: at });
    state.counts.processing += 1;
  } else if (move.to === 'complete') {
    state.complete = [{ number, lane, completedAt: at }, ...state.complete].slice(0, completeShown);
    state.counts.complete += 1;
  }
}

/** An order given back is the oldest of its lane again, except for others given back before it. */
function putBack(pending: number[], number: number): void {
  const younger = pending.findIndex((waiting) => waiting > number);
  pending.splice(younger === -1 ? pending.length : younger, 0, number);
}

function takeOff(state: BoardState, number: number): keyof Board['counts'] | undefined {
  for (const lane of lanes) {
    const index = state.pending[lane].indexOf(number);
    if (index === -1) continue;
    state.pending[lane].splice(index, 1);
    return countDown(state, 'pending');
  }
  for (const place of ['processing', 'complete'] as const) {
    const index = state[place].findIndex((order) => order.number === number);
    if (index === -1) continue;
    state[place].splice(index, 1);
    return countDown(state, place);
  }
  return undefined;
}

function countDown<Place extends string>(state: BoardState, place: Place): Place {
  const counts: Record<string, number> = state.counts;
  counts[place] = Math.max(0, (counts[place] ?? 0) - 1);
  return place;
}

import type { BoardOrderEvent } from '../../domain/board.ts';
import type { Lane } from '../../domain/lane.ts';

/** What has happened in a shift, in the order in which the engine tells it. */
export interface ShiftRecord {
  /** As the answers to the orders gave them. */
  placed: { number: number; lane: Lane }[];
  moves: BoardOrderEvent[];
  /** The order that a removed bot had in hand, and that bot. */
  returned: { orderNumber: number; botNumber: number } | null;
}

export interface Expectation {
  text: string;
  isMet: boolean;
}

/** What a shift must show, whatever the timing. */
export function judgeShift({ placed, moves, returned }: ShiftRecord, processingMs: number): Expectation[] {
  const numbers = placed.map(({ number }) => number);
  const expectations: Expectation[] = [
    {
      text: 'order numbers are unique and increasing',
      isMet: numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? number)),
    },
    { text: 'no normal order was started while a VIP order was pending', isMet: isVipFirst(moves) },
    { text: 'within its lane, each order was started in its turn', isMet: isFifo(moves) },
    {
      text: 'every order is complete, each of them once',
      isMet:
        numbers.length > 0 &&
        numbers.every(
          (number) => moves.filter((move) => move.number === number && move.to === 'complete').length === 1,
        ),
    },
    {
      text: `no order was complete before its ${processingMs / 1_000} s`,
      isMet: runTimesMs(moves).every((runMs) => runMs >= processingMs * 0.95),
    },
  ];
  if (returned) {
    expectations.push({
      text: `order ${returned.orderNumber} went back to PENDING and was done by another bot`,
      isMet: wasDoneByAnother(moves, returned),
    });
  }
  return expectations;
}

function isVipFirst(moves: readonly BoardOrderEvent[]): boolean {
  return everyStart(moves, (pending, move) => move.lane === 'vip' || pending.every(({ lane }) => lane !== 'vip'));
}

/** Numbers grow with time, and an order that is given back keeps its place: so the smallest number is the oldest. */
function isFifo(moves: readonly BoardOrderEvent[]): boolean {
  return everyStart(moves, (pending, move) =>
    pending.every(({ lane, number }) => lane !== move.lane || number >= move.number),
  );
}

function everyStart(
  moves: readonly BoardOrderEvent[],
  holds: (pending: BoardOrderEvent[], start: BoardOrderEvent) => boolean,
): boolean {
  const pending = new Map<number, BoardOrderEvent>();
  return moves.every((move) => {
    const isRight = move.to !== 'processing' || holds([...pending.values()], move);
    if (move.to === 'pending') pending.set(move.number, move);
    else pending.delete(move.number);
    return isRight;
  });
}

/** How long each completed order was in the hands of the bot that completed it. */
function runTimesMs(moves: readonly BoardOrderEvent[]): number[] {
  const startedAtMs = new Map<number, number>();
  return moves.flatMap((move) => {
    const atMs = Date.parse(move.at);
    if (move.to === 'processing') startedAtMs.set(move.number, atMs);
    return move.to === 'complete' ? [atMs - (startedAtMs.get(move.number) ?? Number.NaN)] : [];
  });
}

function wasDoneByAnother(
  moves: readonly BoardOrderEvent[],
  { orderNumber, botNumber }: { orderNumber: number; botNumber: number },
): boolean {
  const ofOrder = moves.filter(({ number }) => number === orderNumber);
  const returnedAt = ofOrder.findIndex(({ from, to }) => from === 'processing' && to === 'pending');
  const startedAgain = ofOrder.slice(returnedAt + 1).find(({ to }) => to === 'processing');
  return returnedAt !== -1 && startedAgain !== undefined && startedAgain.botNumber !== botNumber;
}

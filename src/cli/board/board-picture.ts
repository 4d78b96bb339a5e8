import type { BoardOrderEvent } from '../../domain/board.ts';
import type { Lane } from '../../domain/lane.ts';
import { clockText, laneText, statusText } from '../order-text.ts';
import { type Output, paint, visibleWidth } from '../terminal.ts';
import type { BoardState } from './board-state.ts';

const pendingShown = 10;
const completeShown = 8;

/** The board as lines: what is being done, what comes next, what is ready. */
export function boardLines(output: Output, state: BoardState, status: string): string[] {
  const { counts, bots } = state;
  return [
    `${paint(output, 'bold', 'twolane')}  ${status}`,
    '',
    ...columns(output, [
      [`PENDING ${counts.pending}`, pendingLines(output, state)],
      [`PROCESSING ${counts.processing}`, processingLines(output, state)],
      [`COMPLETE ${counts.complete}`, completeLines(output, state)],
    ]),
    '',
    `bots ${bots.total}: ${bots.processing} processing, ${bots.idle} idle`,
  ];
}

function pendingLines(output: Output, { pending, counts }: BoardState): string[] {
  const lineOf = (lane: Lane) => (number: number) => `${number} ${laneText(output, lane)}`;
  const lines = [...pending.vip.map(lineOf('vip')), ...pending.normal.map(lineOf('normal'))].slice(0, pendingShown);
  return counts.pending > lines.length
    ? [...lines, paint(output, 'dim', `and ${counts.pending - lines.length} more`)]
    : lines;
}

function processingLines(output: Output, { processing }: BoardState): string[] {
  return processing.slice(0, pendingShown).map(({ number, lane, botNumber, startedAt }) => {
    const bot = botNumber === null ? '' : ` bot ${botNumber}`;
    return `${number} ${laneText(output, lane)}${bot} since ${clockText(startedAt)}`;
  });
}

function completeLines(output: Output, { complete }: BoardState): string[] {
  return complete
    .slice(0, completeShown)
    .map(({ number, lane, completedAt }) => `${number} ${laneText(output, lane)} ${clockText(completedAt)}`);
}

function columns(output: Output, blocks: [title: string, lines: string[]][]): string[] {
  const widths = blocks.map(([title, lines]) => Math.max(18, visibleWidth(title), ...lines.map(visibleWidth)) + 3);
  const height = Math.max(...blocks.map(([, lines]) => lines.length));
  const row = (cells: string[]) =>
    cells
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - visibleWidth(cell))))
      .join('')
      .trimEnd();
  return [
    row(blocks.map(([title]) => paint(output, 'bold', title))),
    ...Array.from({ length: height }, (_, line) => row(blocks.map(([, lines]) => lines[line] ?? ''))),
  ];
}

/** One move as a line, for a log or a pipe. */
export function moveLine(output: Output, { number, lane, from, to, botNumber, at }: BoardOrderEvent): string {
  const bot = botNumber === null ? '' : ` (bot ${botNumber})`;
  const before = from === null ? '' : `${statusText(output, from)} → `;
  return `[${clockText(at)}] order ${number} ${laneText(output, lane)} ${before}${statusText(output, to)}${bot}`;
}

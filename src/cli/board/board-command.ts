import type { Command } from 'commander';
import { boardSchema } from '../../domain/board.ts';
import { askFor, type Server } from '../api-client.ts';
import { type BoardChange, followBoard } from '../board-feed.ts';
import { LiveRegion } from '../live-region.ts';
import { clockText } from '../order-text.ts';
import { connectAsNobody, examples, wantsJson } from '../program-options.ts';
import { paint, type Terminal, writeJson, writeLine } from '../terminal.ts';
import { boardLines, moveLine } from './board-picture.ts';
import { type BoardState, boardStateOf, moveOnBoard } from './board-state.ts';

export function addBoardCommand(program: Command, terminal: Terminal): void {
  program
    .command('board')
    .description('watch the board live; Ctrl-C ends it')
    .option('--once', 'show it once and end')
    .addHelpText(
      'after',
      examples(
        ['twolane board', 'live in the terminal'],
        ['twolane board | tee shift.log', 'a line for every move'],
        ['twolane board --json', 'one JSON object a line, as it happens'],
        ['twolane board --once --json', 'the board as it is now'],
      ),
    )
    .action(async (options: { once?: boolean }, command: Command) => {
      const server = await connectAsNobody(terminal, command);
      if (options.once) return showOnce(terminal, server, wantsJson(command));
      if (wantsJson(command)) return streamJson(terminal, server);
      if (terminal.stdout.isTTY) return redraw(terminal, server);
      return streamLines(terminal, server);
    });
}

async function showOnce({ stdout }: Terminal, server: Server, json: boolean): Promise<void> {
  const { value, raw } = await askFor(server, { method: 'GET', path: '/v1/board' }, boardSchema);
  if (json) return writeJson(stdout, raw);
  for (const line of boardLines(stdout, boardStateOf(value), `at ${clockText(value.asOf)}`)) writeLine(stdout, line);
}

async function streamJson({ stdout }: Terminal, server: Server): Promise<void> {
  for await (const change of followBoard(server)) stdout.write(`${JSON.stringify(change)}\n`);
}

async function streamLines({ stdout, stderr }: Terminal, server: Server): Promise<void> {
  const onTrouble = (reason: string | undefined) =>
    writeLine(stderr, reason === undefined ? 'connected again' : `${reason}: trying again`);
  for await (const change of followBoard(server, { onTrouble })) {
    if (change.kind === 'order') writeLine(stdout, moveLine(stdout, change.move));
    else if (change.kind === 'bots') writeLine(stdout, `[${clockText(Date.now())}] ${botsText(change.bots)}`);
    else {
      const { counts, bots, asOf } = change.board;
      const orders = `pending ${counts.pending}, processing ${counts.processing}, complete ${counts.complete}`;
      writeLine(stdout, `[${clockText(asOf)}] board: ${orders}; ${botsText(bots)}`);
    }
  }
}

function botsText({ total, processing, idle }: BoardState['bots']): string {
  return `bots ${total}: ${processing} processing, ${idle} idle`;
}

async function redraw({ stdout, signal }: Terminal, server: Server): Promise<void> {
  const region = new LiveRegion(stdout);
  let state: BoardState | undefined;
  let trouble: string | undefined;
  let redrawTimer: NodeJS.Timeout | undefined;
  const draw = () => {
    redrawTimer = undefined;
    if (state === undefined || signal.aborted) return;
    const status =
      trouble === undefined ? paint(stdout, 'green', '● live') : paint(stdout, 'red', `○ ${trouble}: trying again`);
    region.draw(boardLines(stdout, state, `${status}  ${server.url.origin}  Ctrl-C ends`));
  };
  const drawSoon = () => {
    redrawTimer ??= setTimeout(draw, 50); // a burst of orders is one picture
  };
  const onTrouble = (reason: string | undefined) => {
    trouble = reason;
    drawSoon();
  };
  stdout.on('resize', drawSoon);
  try {
    for await (const change of followBoard(server, { onTrouble })) {
      state = afterChange(state, change);
      drawSoon();
    }
  } finally {
    stdout.off('resize', drawSoon);
    clearTimeout(redrawTimer);
    region.close();
  }
}

function afterChange(state: BoardState | undefined, change: BoardChange): BoardState | undefined {
  if (change.kind === 'snapshot') return boardStateOf(change.board);
  if (state === undefined) return undefined; // the stream begins with a snapshot
  if (change.kind === 'order') moveOnBoard(state, change.move, change.id);
  else state.bots = change.bots;
  return state;
}

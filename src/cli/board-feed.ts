import { z } from 'zod';
import {
  type Board,
  type BoardOrderEvent,
  type BotCounts,
  boardOrderEventSchema,
  boardSchema,
  botCountsSchema,
} from '../domain/board.ts';
import type { Server } from './api-client.ts';
import { followEvents, type StreamOptions } from './event-stream.ts';
import { CliError } from './failures.ts';

export type BoardChange =
  | { kind: 'snapshot'; id: string; board: Board }
  | { kind: 'order'; id: string; move: BoardOrderEvent }
  | { kind: 'bots'; id: string; bots: BotCounts };

/** The live board as typed changes; kinds that a newer server may add are passed over. */
export async function* followBoard(
  server: Server,
  options: Omit<StreamOptions, 'path'> = {},
): AsyncGenerator<BoardChange, void, void> {
  for await (const { id, event, data } of followEvents(server, { ...options, path: '/v1/board/stream' })) {
    if (event === 'snapshot') yield { kind: 'snapshot', id, board: readData(boardSchema, event, data) };
    else if (event === 'order') yield { kind: 'order', id, move: readData(boardOrderEventSchema, event, data) };
    else if (event === 'bots') yield { kind: 'bots', id, bots: readData(botCountsSchema, event, data) };
  }
}

function readData<Schema extends z.ZodType>(schema: Schema, event: string, data: string): z.infer<Schema> {
  const parsed = schema.safeParse(JSON.parse(data));
  if (parsed.success) return parsed.data;
  throw new CliError(`the live stream sent a ${event} event of a form unknown here`, [z.prettifyError(parsed.error)]);
}

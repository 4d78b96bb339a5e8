import { z } from 'zod';
import { laneSchema } from './lane.ts';
import { orderStatusSchema } from './order-status.ts';

const timeSchema = z.iso.datetime();

/** What everybody may see: no personal data. */
export const botCountsSchema = z
  .object({ total: z.int(), idle: z.int(), processing: z.int() })
  .meta({ id: 'BotCounts' });
export type BotCounts = z.infer<typeof botCountsSchema>;

export const boardSchema = z
  .object({
    pending: z
      .array(z.object({ number: z.int(), lane: laneSchema, placedAt: timeSchema }))
      .describe('In the order in which bots will take them; the first 200'),
    processing: z.array(
      z.object({
        number: z.int(),
        lane: laneSchema,
        botNumber: z.int().nullable(),
        startedAt: timeSchema,
        progress: z.number().nullable().describe('From 0 to 1, where it is known'),
        expectedAt: timeSchema.nullable(),
      }),
    ),
    complete: z
      .array(z.object({ number: z.int(), lane: laneSchema, completedAt: timeSchema, soundUrl: z.string().nullable() }))
      .describe('Newest first; the last 50'),
    bots: botCountsSchema,
    counts: z.object({ pending: z.int(), processing: z.int(), complete: z.int() }).describe('Of all, shown or not'),
    asOf: timeSchema,
    lastEventId: z.string().describe('Where `GET /v1/board/stream` goes on'),
  })
  .meta({ id: 'Board', description: 'What everybody may see: no personal data.' });
export type Board = z.infer<typeof boardSchema>;

/** One move of one order, as the live board streams it. */
export const boardOrderEventSchema = z
  .object({
    number: z.int(),
    lane: laneSchema,
    from: orderStatusSchema.nullable(),
    to: orderStatusSchema,
    botNumber: z.int().nullable(),
    at: timeSchema,
  })
  .meta({ id: 'BoardOrderEvent', description: 'One move of one order on the board.' });
export type BoardOrderEvent = z.infer<typeof boardOrderEventSchema>;

import { z } from 'zod';
import { laneSchema } from './lane.ts';
import { orderStatusSchema } from './order-status.ts';

const timeSchema = z.iso.datetime();

/** What everybody may see: no personal data. */
export const botCountsSchema = z.object({ total: z.int(), idle: z.int(), processing: z.int() });
export type BotCounts = z.infer<typeof botCountsSchema>;

export const boardSchema = z.object({
  pending: z.array(z.object({ number: z.int(), lane: laneSchema, placedAt: timeSchema })),
  processing: z.array(
    z.object({
      number: z.int(),
      lane: laneSchema,
      botNumber: z.int().nullable(),
      startedAt: timeSchema,
      progress: z.number().nullable(),
      expectedAt: timeSchema.nullable(),
    }),
  ),
  complete: z.array(
    z.object({ number: z.int(), lane: laneSchema, completedAt: timeSchema, soundUrl: z.string().nullable() }),
  ),
  bots: botCountsSchema,
  counts: z.object({ pending: z.int(), processing: z.int(), complete: z.int() }),
  asOf: timeSchema,
  lastEventId: z.string(),
});
export type Board = z.infer<typeof boardSchema>;

/** One move of one order, as the live board streams it. */
export const boardOrderEventSchema = z.object({
  number: z.int(),
  lane: laneSchema,
  from: orderStatusSchema.nullable(),
  to: orderStatusSchema,
  botNumber: z.int().nullable(),
  at: timeSchema,
});
export type BoardOrderEvent = z.infer<typeof boardOrderEventSchema>;

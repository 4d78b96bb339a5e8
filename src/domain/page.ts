import { z } from 'zod';

/** What every list takes. */
export const pageLimitSchema = z.coerce.number().int().min(1).max(200).default(50).describe('How many at most');
/** For lists that go by a number. */
export const numberCursorSchema = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a cursor of ours')
  .optional()
  .describe('The `nextCursor` of the page before');

/** One page of what was asked for with one more than `limit`: the one too many tells that there is a next page. */
export function pageOf<Item>(
  found: readonly Item[],
  limit: number,
  cursorOf: (last: Item) => string,
): { items: Item[]; nextCursor: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: found.length > limit && last ? cursorOf(last) : null };
}

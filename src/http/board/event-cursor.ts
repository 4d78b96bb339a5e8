import type { EventCursor } from '../../db/order-events.ts';

/** The form of an event's id on the wire: `xid-id`, both as large as they come, so they stay text. */
export const cursorText = ({ xid, id }: EventCursor): string => `${xid}-${id}`;

/** Null for what is no id of ours. */
export function parseCursor(text: string): EventCursor | null {
  const [, xid, id] = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,18})$/.exec(text) ?? [];
  return xid === undefined || id === undefined ? null : { xid, id };
}

/** Negative when `a` comes before `b`. */
export function compareCursors(a: EventCursor, b: EventCursor): number {
  return compareDigits(a.xid, b.xid) || compareDigits(a.id, b.id);
}

/** Whole numbers as text, without leading zeros. */
export function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

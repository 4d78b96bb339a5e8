import { createHash } from 'node:crypto';

/**
 * The same order of the same file has the same key, so a replay that was interrupted never orders twice.
 * `again` has no dash, so no two pairs of it and an order_ref meet.
 */
export function replayKey(fileHash: string, orderRef: string, again?: string): string {
  const prefix = `replay-${fileHash.slice(0, 16)}${again === undefined ? '' : `.${again}`}-`;
  const reference = encodeURIComponent(orderRef.toWellFormed()); // a header carries ASCII alone
  const isShort = reference.length <= 100;
  return prefix + (isShort ? reference : createHash('sha256').update(orderRef).digest('hex'));
}

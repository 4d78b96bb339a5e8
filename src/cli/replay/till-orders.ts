import type { Lane } from '../../domain/lane.ts';
import type { RefusedLine } from '../csv-lines.ts';
import type { FileTime } from './file-time.ts';
import type { TillLine } from './till-lines.ts';

/** An order of the day, from all of its lines. */
export interface TillOrder {
  orderRef: string;
  placedAt: FileTime;
  lane: Lane;
  customer: string | null;
  items: { sku: string; quantity: number }[];
  /** Where it stands in the file. */
  lines: number[];
}

/** A till that counts from 1 each morning uses the same order_ref for two orders: they are further apart than this. */
const sameOrderMs = 3_600_000;

/** Puts the lines of each order together, wherever in the file they stand. */
export class TillOrders {
  readonly refused: RefusedLine[] = [];
  #orders = new Map<string, TillOrder>();
  #firstLine: TillLine | undefined;

  add(line: TillLine): void {
    this.#firstLine ??= line;
    const order = this.#orders.get(line.orderRef);
    const conflict = this.#conflictOf(line, order);
    if (conflict !== undefined) {
      this.refused.push({ line: line.line, reason: conflict });
      return;
    }
    if (order === undefined) this.#orders.set(line.orderRef, orderOf(line));
    else addTo(order, line);
  }

  /** In the order of their times; those of the same moment as they stand in the file. */
  inFileOrder(): TillOrder[] {
    return [...this.#orders.values()].sort((one, other) => one.placedAt.atMs - other.placedAt.atMs);
  }

  #conflictOf(line: TillLine, order: TillOrder | undefined): string | undefined {
    if ((line.placedAt.offsetMinutes === null) !== (this.#firstLine?.placedAt.offsetMinutes === null)) {
      return `placed_at ${line.placedAt.offsetMinutes === null ? 'has no' : 'has a'} time zone, unlike line ${this.#firstLine?.line}`;
    }
    if (order === undefined) return undefined;
    const where = `order ${order.orderRef} in line ${order.lines[0]}`;
    if (line.lane !== order.lane) return `lane is ${line.lane}, but ${where} is ${order.lane}`;
    if (Math.abs(line.placedAt.atMs - order.placedAt.atMs) > sameOrderMs) {
      return `placed_at is more than an hour away from ${where}: another order with the same order_ref?`;
    }
    return undefined;
  }
}

function orderOf({ orderRef, placedAt, lane, customer, sku, quantity, line }: TillLine): TillOrder {
  return { orderRef, placedAt, lane, customer, items: [{ sku, quantity }], lines: [line] };
}

function addTo(order: TillOrder, { placedAt, customer, sku, quantity, line }: TillLine): void {
  if (placedAt.atMs < order.placedAt.atMs) order.placedAt = placedAt;
  order.customer ??= customer;
  order.lines.push(line);
  const item = order.items.find((one) => one.sku === sku);
  if (item) item.quantity += quantity;
  else order.items.push({ sku, quantity });
}

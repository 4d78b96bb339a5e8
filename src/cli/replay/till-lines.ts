import { type Lane, laneSchema } from '../../domain/lane.ts';
import { orderRequestSchema } from '../../domain/order.ts';
import { type Heading, quoted, type RefusedLine, readHeading, splitLine } from '../csv-lines.ts';
import { type FileTime, parseFileTime } from './file-time.ts';

/** The columns of a till's export, in any order; others are passed over. */
export const tillColumns = ['placed_at', 'order_ref', 'customer', 'lane', 'sku', 'quantity', 'unit_price'] as const;
type Column = (typeof tillColumns)[number];
const optionalColumns: readonly Column[] = ['customer', 'unit_price'];

/** One line of the file: one item of one order. */
export interface TillLine {
  line: number;
  placedAt: FileTime;
  orderRef: string;
  customer: string | null;
  lane: Lane;
  sku: string;
  quantity: number;
  /** In major units as it stands in the file, `2.40`; null when the file has none. */
  unitPrice: string | null;
}

export type TillFormat = Heading<Column>;

/** The delimiter is whichever of comma, semicolon and tab the heading uses. */
export function readTillHeading(text: string): TillFormat {
  return readHeading(text, { columns: tillColumns, optional: optionalColumns, what: "a till's export" });
}

/** One line of the file, or why it cannot be used. */
export function readTillLine(text: string, line: number, format: TillFormat): TillLine | RefusedLine {
  const refused = (reason: string): RefusedLine => ({ line, reason });
  const cells = splitLine(text, format.delimiter);
  if (cells === undefined) return refused('a quote is opened and not closed');
  if (cells.length !== format.columns) return refused(`${cells.length} columns instead of ${format.columns}`);
  const cell = (column: Column) => cells[format.indexOf[column] ?? -1] ?? '';

  const placedAt = parseFileTime(cell('placed_at'));
  if (placedAt === undefined) return refused(`placed_at is no time: ${quoted(cell('placed_at'))}`);
  const orderRef = cell('order_ref');
  if (orderRef === '') return refused('order_ref is empty');
  const lane = laneSchema.safeParse(cell('lane').toLowerCase());
  if (!lane.success) return refused(`lane is neither vip nor normal: ${quoted(cell('lane'))}`);
  if (!/^\d+$/.test(cell('quantity'))) return refused(`quantity is no whole number: ${quoted(cell('quantity'))}`);
  const item = { sku: cell('sku'), quantity: Number(cell('quantity')) };
  const itemFault = orderRequestSchema.shape.items.element.safeParse(item).error?.issues[0];
  if (itemFault) return refused(`${itemFault.path.join('.')}: ${itemFault.message}`);
  const unitPrice = cell('unit_price').replace(',', '.');
  if (unitPrice !== '' && !/^\d+(\.\d{1,4})?$/.test(unitPrice)) {
    return refused(`unit_price is no price: ${quoted(cell('unit_price'))}`);
  }
  return {
    line,
    placedAt,
    orderRef,
    customer: cell('customer') || null,
    lane: lane.data,
    ...item,
    unitPrice: unitPrice || null,
  };
}

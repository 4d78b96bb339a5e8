import type { Lane } from '../domain/lane.ts';
import type { Order, OrderEvent } from '../domain/order.ts';
import type { OrderStatus } from '../domain/order-status.ts';
import { countText } from './count-text.ts';
import { moneyText } from './currency.ts';
import { durationText } from './duration.ts';
import { eventDetailText } from './event-detail.ts';
import { type Output, paint, printable, writeLine, writeTable } from './terminal.ts';

const statusStyles = {
  awaiting_payment: 'yellow',
  pending: 'yellow',
  processing: 'cyan',
  complete: 'green',
  cancelled: 'gray',
  failed: 'red',
} as const;

export function statusText(output: Output, status: OrderStatus): string {
  return paint(output, statusStyles[status], status.toUpperCase().replaceAll('_', ' '));
}

export function laneText(output: Output, lane: Lane): string {
  return lane === 'vip' ? paint(output, ['bold', 'magenta'], 'VIP') : 'NORMAL';
}

export function clockText(iso: string | number): string {
  const at = new Date(iso);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

export function writeOrder(output: Output, order: Order): void {
  writeLine(output, `order ${order.number}  ${laneText(output, order.lane)}  ${statusText(output, order.status)}`);
  for (const { quantity, sku, name, total } of order.items) {
    writeLine(output, `  ${String(quantity).padStart(3)} × ${printable(name || sku)}  ${moneyText(total)}`);
  }
  writeLine(output, `  total ${moneyText(order.total)}`);
  for (const line of factLines(order)) writeLine(output, `  ${line}`);
}

function factLines(order: Order): string[] {
  const lines: string[] = [];
  if (order.customerName !== null) lines.push(`for ${printable(order.customerName)}`);
  if (order.note !== null) lines.push(`note: ${printable(order.note)}`);
  lines.push(`placed ${clockText(order.placedAt)}`);
  if (order.position !== null) lines.push(`${countText(order.position, 'order')} to be started before it`);
  if (order.status === 'processing' && order.botNumber !== null) lines.push(`bot ${order.botNumber} is on it`);
  if (order.startedAt !== null) lines.push(`started ${clockText(order.startedAt)}${attemptText(order.attempt)}`);
  if (order.completedAt !== null) {
    const readyMs = Date.parse(order.completedAt) - Date.parse(order.placedAt);
    lines.push(`complete ${clockText(order.completedAt)}, ${durationText(readyMs)} after it was placed`);
  } else if (order.estimatedReadyAt !== null) lines.push(`ready at about ${clockText(order.estimatedReadyAt)}`);
  lines.push(...paymentLines(order));
  if (order.cancelledAt !== null) lines.push(`cancelled ${clockText(order.cancelledAt)}`);
  if (order.failureReason !== null)
    lines.push(`${order.status === 'cancelled' ? 'because' : 'failed'}: ${printable(order.failureReason)}`);
  return lines;
}

function paymentLines({ status, payment }: Order): string[] {
  if (payment.method === 'counter') return [];
  const reference = payment.reference === null ? '' : ` (${printable(payment.reference)})`;
  const lines = [`${payment.method}: ${paymentStatusText(payment)}${reference}`];
  if (payment.checkoutUrl !== null) lines.push(`pay at ${printable(payment.checkoutUrl)}`);
  else if (status === 'awaiting_payment') lines.push('its checkout is being opened: `twolane orders pay` asks for it');
  if (payment.authorisedUntil !== null && status !== 'cancelled') lines.push(`held until ${payment.authorisedUntil}`);
  return lines;
}

const paymentStatusText = ({ status }: Order['payment']) => (status ?? '').replaceAll('_', ' ');

function attemptText(attempt: number): string {
  return attempt > 1 ? ` (attempt ${attempt})` : '';
}

export function writeOrders(output: Output, orders: Order[]): void {
  if (orders.length === 0) {
    writeLine(output, 'no orders');
    return;
  }
  writeTable(
    output,
    ['NUMBER', 'LANE', 'STATUS', 'TOTAL', 'PAYMENT', 'PLACED', 'FOR', 'ITEMS'],
    orders.map((order) => [
      String(order.number),
      laneText(output, order.lane),
      statusText(output, order.status),
      moneyText(order.total),
      `${order.payment.method} ${paymentStatusText(order.payment)}`.trimEnd(),
      clockText(order.placedAt),
      printable(order.customerName ?? ''),
      printable(order.items.map(({ sku, quantity }) => `${quantity} ${sku}`).join(', ')),
    ]),
  );
}

export function writeOrderEvents(output: Output, events: OrderEvent[], orderCurrency: string): void {
  writeLine(output);
  writeTable(
    output,
    ['AT', 'WHAT', 'BY', 'ATTEMPT', 'DETAIL'],
    events.map(({ at, type, actor, attempt, detail }) => [
      clockText(at),
      type.replaceAll('_', ' '),
      printable(actor),
      String(attempt),
      printable(eventDetailText(detail, orderCurrency)),
    ]),
  );
}

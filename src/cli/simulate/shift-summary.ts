import type { Lane } from '../../domain/lane.ts';
import { type Output, paint, writeLine } from '../terminal.ts';
import type { Shift } from './shift.ts';
import type { ShiftLog } from './shift-log.ts';
import type { Expectation } from './shift-record.ts';

export interface ShiftSummary {
  title: string;
  lines: string[];
  orders: { total: number } & Record<Lane, number>;
  completed: number;
  bots: number;
  pending: number;
  expectations: Expectation[];
}

export function summarizeShift(title: string, shift: Shift, log: ShiftLog, expectations: Expectation[]): ShiftSummary {
  const { placed } = shift.record;
  const countIn = (lane: Lane) => placed.filter((order) => order.lane === lane).length;
  const countAs = (status: string) => placed.filter(({ number }) => shift.statusOf(number) === status).length;
  return {
    title,
    lines: log.lines,
    orders: { total: placed.length, vip: countIn('vip'), normal: countIn('normal') },
    completed: countAs('complete'),
    bots: shift.bots.total,
    pending: countAs('pending'),
    expectations,
  };
}

export function writeSummary(output: Output, { orders, completed, bots, pending, expectations }: ShiftSummary): void {
  writeLine(output);
  writeLine(output, paint(output, 'bold', 'Summary'));
  writeLine(output, `  orders     ${orders.total} (${orders.vip} VIP, ${orders.normal} NORMAL)`);
  writeLine(output, `  completed  ${completed}`);
  writeLine(output, `  bots       ${bots}`);
  writeLine(output, `  pending    ${pending}`);
  for (const { text, isMet } of expectations) {
    writeLine(output, `  ${isMet ? paint(output, 'green', 'ok') : paint(output, 'red', 'NOT SO:')} ${text}`);
  }
  writeLine(output);
}

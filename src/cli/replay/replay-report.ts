import type { RefusedLine } from '../csv-lines.ts';
import { durationText } from '../duration.ts';
import type { DayReport } from './day-report.ts';
import type { RefusedOrder } from './send-day.ts';

/** What `replay` ends with, on the screen and as JSON. */
export interface ReplayReport {
  file: string;
  fileHash: string;
  speed: number;
  isInterrupted: boolean;
  ordersInFile: number;
  firstPlacedAt: string;
  lastPlacedAt: string;
  /** Minutes east of UTC; null when the file names no time zone: its times are then given as if they were UTC. */
  offsetMinutes: number | null;
  refusedLines: RefusedLine[];
  refusedOrders: RefusedOrder[];
  day: DayReport;
  notes: string[];
}

/** What a reader of the figures must know to read them rightly. */
export function notesOn(
  day: DayReport,
  { speed, latestMs, hadTrouble }: { speed: number; latestMs: number; hadTrouble: boolean },
): string[] {
  const notes: string[] = [];
  if (day.alreadySent > 0) {
    const part = day.sent === 0 ? 'all' : `${day.alreadySent}`;
    notes.push(
      `${part} of this file was sent by an earlier replay, and is not sent twice; --again WORD sends it as new orders`,
    );
  }
  if (day.service !== null && speed > 1 && day.botsNeeded?.isServiceMeasured !== false) {
    const exampleMs = 60_000 / speed;
    notes.push(
      `bots work in real time: at speed ${speed} their ${durationText(day.service.realTimeMs)} are ${durationText(day.service.fileTimeMs)} of the file. ` +
        `For an order that takes 1 minute in your shop start the bots with BOT_PROCESSING_MS=${Math.max(1, Math.round(exampleMs))}, or say --service 1m`,
    );
  }
  if (latestMs > 1_000) {
    notes.push(
      `sending fell up to ${durationText(latestMs)} (real time) behind the file, because the server was slow or away; waits count from when it took each order`,
    );
  }
  if (hadTrouble) notes.push('the live stream was lost for a while; what it did not tell was read from the orders');
  return notes;
}

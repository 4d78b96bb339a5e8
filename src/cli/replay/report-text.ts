import type { Lane } from '../../domain/lane.ts';
import { countText } from '../count-text.ts';
import { durationText } from '../duration.ts';
import { type Output, paint, writeLine, writeTable } from '../terminal.ts';
import type { DayReport } from './day-report.ts';
import { wallClockText } from './file-time.ts';
import type { Spread } from './quantiles.ts';
import type { ReplayReport } from './replay-report.ts';

/** The day on one screen. Every time says whose it is: the file's, or the one that passed here. */
export function writeReport(output: Output, report: ReplayReport): void {
  const { day } = report;
  writeLine(output);
  writeLine(output, paint(output, 'bold', report.isInterrupted ? 'The day so far (stopped)' : 'The day'));
  writeLine(output, ordersText(report));
  for (const line of refusalLines(report)) writeLine(output, line);
  const aboutRepeat = day.alreadySent > 0 ? 1 : 0; // explains the figures, so it comes before them
  for (const note of report.notes.slice(0, aboutRepeat)) writeLine(output, noteText(output, note));
  if (day.sent === 0 && day.alreadySent > 0) return; // nothing of this day was measured
  writeLine(output);
  const heading = ['', 'ORDERS', 'COMPLETE', 'WAIT p50', 'p90', 'max', 'READY p50', 'p90', 'max'];
  writeTable(output, heading, [
    laneRow('VIP, file time', day, 'vip', 'fileTime'),
    laneRow('NORMAL, file time', day, 'normal', 'fileTime'),
    laneRow('VIP, real time', day, 'vip', 'realTime'),
    laneRow('NORMAL, real time', day, 'normal', 'realTime'),
  ]);
  writeLine(
    output,
    paint(output, 'dim', 'wait: placed → started; ready: placed → complete; file time = real time × speed'),
  );
  writeLine(output);
  for (const line of figureLines(report)) writeLine(output, line);
  for (const note of report.notes.slice(aboutRepeat)) writeLine(output, noteText(output, note));
}

const noteText = (output: Output, note: string) => paint(output, 'yellow', `note: ${note}`);

function ordersText({ day, ordersInFile, refusedOrders }: ReplayReport): string {
  const { sent, alreadySent, ended, unfinished } = day;
  const parts = [
    `${countText(ordersInFile, 'order')} in the file`,
    `${sent} sent`,
    ...(alreadySent > 0 ? [`${alreadySent} sent by an earlier replay (not counted below)`] : []),
    `${refusedOrders.length} refused`,
    `${ended.complete} complete`,
    ...(ended.failed > 0 ? [`${ended.failed} failed`] : []),
    ...(ended.cancelled > 0 ? [`${ended.cancelled} cancelled`] : []),
    ...(unfinished > 0 ? [`${unfinished} unfinished`] : []),
  ];
  return parts.join(', ');
}

const refusalsShown = 20;

function refusalLines({ refusedLines, refusedOrders }: ReplayReport): string[] {
  const lines = refusedOrders
    .slice(0, refusalsShown)
    .map(
      ({ orderRef, lines: at, code, reason }) =>
        `  order ${orderRef} (line ${at.join(', ')}) refused: ${code}: ${reason}`,
    );
  if (refusedOrders.length > refusalsShown)
    lines.push(`  and ${countText(refusedOrders.length - refusalsShown, 'more order')}`);
  if (refusedLines.length > 0)
    lines.push(`  ${countText(refusedLines.length, 'line')} of the file could not be used (listed above)`);
  return lines;
}

/** The first refused lines with their reasons; said before the day begins, so that the file can be mended first. */
export function refusedLineTexts({ refusedLines }: Pick<ReplayReport, 'refusedLines'>): string[] {
  const texts = refusedLines.slice(0, refusalsShown).map(({ line, reason }) => `line ${line} refused: ${reason}`);
  const rest = refusedLines.length - texts.length;
  return rest > 0 ? [...texts, `and ${countText(rest, 'more line')} refused`] : texts;
}

function laneRow(title: string, day: DayReport, lane: Lane, clock: 'fileTime' | 'realTime'): string[] {
  const { orders, complete, wait, ready } = day.lanes[lane];
  return [title, String(orders), String(complete), ...spreadCells(wait[clock]), ...spreadCells(ready[clock])];
}

function spreadCells(spread: Spread | null): string[] {
  return spread === null ? ['–', '–', '–'] : [spread.p50Ms, spread.p90Ms, spread.maxMs].map(durationText);
}

function figureLines({ day, speed, offsetMinutes }: ReplayReport): string[] {
  const { busiestQuarter, bots, service, botsNeeded } = day;
  const lines: string[] = [];
  if (busiestQuarter) {
    const from = wallClockText(busiestQuarter.fromMs, offsetMinutes).slice(0, -3);
    const to = wallClockText(busiestQuarter.fromMs + 900_000, offsetMinutes).slice(4, -3);
    lines.push(`busiest quarter of an hour  ${from}–${to}, ${countText(busiestQuarter.orders, 'order')}`);
  }
  if (bots.meanBusy !== null)
    lines.push(`bots busy                   ${bots.meanBusy.toFixed(1)} on average, of ${bots.most}`);
  if (service) {
    const inFile = `${durationText(service.fileTimeMs)} of the file's time at speed ${speed}`;
    lines.push(`an order took a bot         ${durationText(service.realTimeMs)} of real time = ${inFile}`);
  }
  if (botsNeeded) {
    const edge =
      botsNeeded.p90WaitWithOneLessMs === null
        ? ''
        : `, with ${botsNeeded.bots - 1} it would be ${durationText(botsNeeded.p90WaitWithOneLessMs)}`;
    const basis = `${durationText(botsNeeded.serviceMs)} an order, ${botsNeeded.isServiceMeasured ? 'as measured' : 'as told'}`;
    lines.push(
      `bots needed                 ${botsNeeded.bots} for nine of ten waits within ${durationText(botsNeeded.waitMs)} of file time (${basis}):`,
      `                            p90 ${durationText(botsNeeded.p90WaitMs)}${edge}; VIP first, then by arrival`,
    );
  }
  return lines;
}

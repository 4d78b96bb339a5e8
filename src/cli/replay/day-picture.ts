import { lanes } from '../../domain/lane.ts';
import { countText } from '../count-text.ts';
import { durationText } from '../duration.ts';
import { barText, sparkText } from '../live-region.ts';
import { laneText } from '../order-text.ts';
import { type Output, paint } from '../terminal.ts';
import { countByLane, type SentOrder } from './day-report.ts';
import { wallClockText } from './file-time.ts';
import { timeLeftMs } from './keeping-up.ts';
import type { OrderWatch } from './order-watch.ts';

export interface DayView {
  fileClockMs: number;
  offsetMinutes: number | null;
  speed: number;
  ordersInFile: number;
  sent: readonly SentOrder[];
  refused: number;
  watch: OrderWatch;
  /** That the bots cannot keep up, once that is known. */
  shortage: string | undefined;
  /** How many waited at the last draws, oldest first. */
  waitingHistory: readonly number[];
}

export function waitingNow(sent: readonly SentOrder[], watch: OrderWatch): number {
  return sent.filter(({ alreadySent, number }) => {
    const { startedAtMs, endedAs } = watch.factsOf(number);
    return !alreadySent && startedAtMs === null && endedAs === null;
  }).length;
}

/** Once all is sent: what is still going on, and roughly for how long. */
function restText({ sent, refused, ordersInFile, watch }: DayView): string | undefined {
  const open = sent.filter(({ alreadySent, number }) => !alreadySent && watch.factsOf(number).endedAs === null).length;
  if (sent.length + refused < ordersInFile || open === 0) return undefined;
  const leftMs = timeLeftMs(sent, watch);
  const { total } = watch.bots;
  return [
    `all sent; ${countText(open, 'order')} still to be done by ${countText(total, 'bot')}`,
    ...(leftMs === null ? [] : [`about ${durationText(leftMs)} left (real time)`]),
  ].join(', ');
}

/** The live picture: the file's clock, how far the day is, who waits, who works. */
export function dayLines(output: Output, view: DayView): string[] {
  const { sent, watch, ordersInFile } = view;
  const sentByLane = countByLane(sent);
  const completeByLane = countByLane(sent.filter(({ number }) => watch.factsOf(number).endedAs === 'complete'));
  const byLane = (counts: Record<'vip' | 'normal', number>) =>
    lanes.map((lane) => `${laneText(output, lane)} ${String(counts[lane]).padEnd(6)}`).join(' ');
  const share = ordersInFile === 0 ? 1 : (sent.length + view.refused) / ordersInFile;
  const { total, processing } = watch.bots;
  return [
    `${paint(output, 'bold', wallClockText(view.fileClockMs, view.offsetMinutes))}  speed ${view.speed}  ${barText(share, 30)} ${Math.floor(share * 100)} %`,
    `sent      ${byLane(sentByLane)} of ${ordersInFile}${view.refused > 0 ? paint(output, 'red', `, ${view.refused} refused`) : ''}`,
    `complete  ${byLane(completeByLane)}`,
    `waiting   ${String(waitingNow(sent, watch)).padEnd(6)} ${paint(output, 'yellow', sparkText(view.waitingHistory))}`,
    `bots      ${processing} of ${total} busy${total === 0 ? paint(output, 'red', ': add one') : ''} ${paint(output, 'cyan', '■'.repeat(Math.min(40, processing)))}`,
    ...[view.shortage, restText(view)].flatMap((text) => (text === undefined ? [] : [paint(output, 'yellow', text)])),
    watch.trouble === undefined
      ? paint(output, 'dim', 'Ctrl-C stops with the report so far')
      : paint(output, 'red', watch.trouble),
  ];
}

/** The same in one line, for a log. */
export function dayLine(view: DayView): string {
  const { fileClockMs, offsetMinutes, sent, ordersInFile, watch } = view;
  const lane = countByLane(sent);
  const complete = sent.filter(({ number }) => watch.factsOf(number).endedAs === 'complete').length;
  const rest = restText(view);
  const earlier = sent.filter(({ alreadySent }) => alreadySent).length;
  return (
    `${rest === undefined ? wallClockText(fileClockMs, offsetMinutes) : rest}  sent ${sent.length} of ${ordersInFile} (VIP ${lane.vip}, NORMAL ${lane.normal}${earlier > 0 ? `; ${earlier} by an earlier replay` : ''}), ` +
    `complete ${complete}, waiting ${waitingNow(sent, watch)}, bots busy ${watch.bots.processing} of ${watch.bots.total}`
  );
}

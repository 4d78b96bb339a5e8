import path from 'node:path';
import type { Patience, Server } from '../api-client.ts';
import { asCalled } from '../called-as.ts';
import { countText } from '../count-text.ts';
import { durationText } from '../duration.ts';
import { CliError, InterruptedError } from '../failures.ts';
import { type Output, printable, type Terminal, writeLine } from '../terminal.ts';
import { showDay } from './day-display.ts';
import { reportDay, type SentOrder } from './day-report.ts';
import { wallClockText } from './file-time.ts';
import { readServiceTime, Shortage } from './keeping-up.ts';
import { type ImportWishes, settleProducts } from './offer-import.ts';
import { OrderWatch } from './order-watch.ts';
import { Pace } from './pace.ts';
import { notesOn, type ReplayReport } from './replay-report.ts';
import { refusedLineTexts } from './report-text.ts';
import { type SentDay, sendDay } from './send-day.ts';
import { fillGaps, settleDay } from './settle-day.ts';
import { readTillFile, type TillFile } from './till-file.ts';
import type { TillLine } from './till-lines.ts';
import { type TillOrder, TillOrders } from './till-orders.ts';

export interface ReplayRequest extends ImportWishes {
  file: string;
  speed: number;
  waitMs: number;
  serviceMs: number | undefined;
  again: string | undefined;
  untilDone: boolean;
}

/** A day takes minutes: a restart of the server, or a full intake, must not end it. */
const dayPatience: Patience = { overloadedMs: Number.POSITIVE_INFINITY, unreachableMs: 60_000 };

/**
 * A day's way through here: the file's lines → the products that are missing → its orders → sent at their pace, while
 * the live stream tells what becomes of them → all of them at their end → the report.
 */
export async function replayDay(
  terminal: Terminal,
  server: Server,
  request: ReplayRequest,
): Promise<{ report: ReplayReport; failure?: CliError }> {
  const talk = request.json ? terminal.stderr : terminal.stdout;
  const file = await readTillFile(request.file);
  const { orders, refusedLines } = gatherOrders(
    file,
    await settleProducts(terminal, talk, server, file.lines, request),
  );
  for (const text of refusedLineTexts({ refusedLines })) writeLine(talk, printable(text));
  const [first, last] = [orders[0], orders.at(-1)];
  if (first === undefined || last === undefined) throw new CliError(`${request.file} has no order that can be sent`);

  const doneService = await readServiceTime(server);
  const watch = new OrderWatch();
  await watch.begin(server);
  announce(talk, request, orders, first, last);
  if (watch.bots.total === 0)
    writeLine(
      talk,
      asCalled(terminal, 'there are no bots: orders will wait until you add one with `twolane bots add`'),
    );
  const day: SentDay = { sent: [], refused: [], latestMs: 0 };
  const pace = new Pace(request.speed, first.placedAt.atMs, Date.now());
  const { speed, waitMs } = request;
  const expected = watch.expectedMs === null ? null : { ms: watch.expectedMs, source: 'as the one in hand is to take' };
  const shortage = new Shortage({ orders, speed, waitMs }, expected ?? doneService);
  const endDisplay = showDay(talk, () => ({
    shortage: shortage.textNow(day.sent, watch),
    fileClockMs: pace.fileClockMs(Date.now()),
    offsetMinutes: first.placedAt.offsetMinutes,
    speed: request.speed,
    ordersInFile: orders.length,
    sent: day.sent,
    refused: day.refused.length,
    watch,
  }));
  let failure: CliError | undefined;
  const patient = { ...server, patience: dayPatience };
  try {
    await sendDay(patient, { orders, fileHash: file.hash, again: request.again, pace }, day);
    if (request.untilDone) {
      await settleDay(patient, watch, day.sent);
      await fillGaps(patient, watch, day.sent);
    }
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (!(error instanceof InterruptedError)) failure = error; // said after the report of what went well until then
  } finally {
    endDisplay();
    watch.close();
  }
  const dayReport = reportDay({
    orders: day.sent.map(
      (order): SentOrder => ({ ...order, facts: order.alreadySent ? order.facts : watch.factsOf(order.number) }),
    ),
    fileTimesMs: orders.map(({ placedAt }) => placedAt.atMs),
    speed: request.speed,
    waitMs: request.waitMs,
    serviceMs: request.serviceMs,
    mostBots: watch.mostBots,
    endedAtMs: Date.now(),
  });
  const report: ReplayReport = {
    file: path.basename(request.file),
    fileHash: file.hash,
    speed: request.speed,
    isInterrupted: server.signal.aborted,
    ordersInFile: orders.length,
    firstPlacedAt: new Date(first.placedAt.atMs).toISOString(),
    lastPlacedAt: new Date(last.placedAt.atMs).toISOString(),
    offsetMinutes: first.placedAt.offsetMinutes,
    refusedLines,
    refusedOrders: day.refused,
    day: dayReport,
    notes: notesOn(dayReport, { speed: request.speed, latestMs: day.latestMs, hadTrouble: watch.hadTrouble }),
  };
  return failure ? { report, failure } : { report };
}

function gatherOrders(
  file: TillFile,
  skus: ReadonlySet<string>,
): { orders: TillOrder[]; refusedLines: TillFile['refused'] } {
  const orders = new TillOrders();
  const unknown: TillLine[] = [];
  for (const line of file.lines) {
    if (skus.has(line.sku)) orders.add(line);
    else unknown.push(line);
  }
  const refusedLines = [
    ...file.refused,
    ...orders.refused,
    ...unknown.map(({ line, sku, unitPrice }) => ({
      line,
      reason: `${JSON.stringify(sku)} is not in the catalogue (${unitPrice === null ? 'and has no price to import it with' : '--import-products adds it'})`,
    })),
  ].sort((one, other) => one.line - other.line);
  return { orders: orders.inFileOrder(), refusedLines };
}

function announce(
  talk: Output,
  { file, speed }: ReplayRequest,
  orders: readonly TillOrder[],
  first: TillOrder,
  last: TillOrder,
): void {
  const from = wallClockText(first.placedAt.atMs, first.placedAt.offsetMinutes);
  const to = wallClockText(last.placedAt.atMs, last.placedAt.offsetMinutes);
  const takes = durationText((last.placedAt.atMs - first.placedAt.atMs) / speed);
  writeLine(
    talk,
    `${path.basename(file)}: ${countText(orders.length, 'order')}, ${from} – ${to}; at speed ${speed} sending takes ${takes}`,
  );
}

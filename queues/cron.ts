import { getNextMillis } from 'bullmq';

/** The first time after this one by five cron fields in UTC, as the schedulers of the queues reckon; null when there is none. */
export function nextTime(cron: string, after: Date): Date | null {
  const next = getNextMillis(after.getTime(), { pattern: cron, tz: 'UTC' });
  return next === undefined ? null : new Date(next);
}

/** Enough to see the weekend of one that comes every five minutes of a working day. */
const looksAtMost = 3_000;
const horizonMs = 124 * 86_400_000;

/** How far apart the times of a schedule are: `0 2 * * 1-5` leaves a weekend out. Reckoned once, not often. */
export function pausesOf(cron: string, now: Date): { shortestMs: number; longestMs: number } {
  const pauses: number[] = [];
  let last = nextTime(cron, now);
  for (let looks = 0; last && looks < looksAtMost; looks++) {
    const next = nextTime(cron, last);
    if (next) pauses.push(next.getTime() - last.getTime());
    last = next;
    if (last && last.getTime() - now.getTime() > horizonMs) break;
  }
  return { shortestMs: Math.min(...pauses), longestMs: Math.max(...pauses) };
}

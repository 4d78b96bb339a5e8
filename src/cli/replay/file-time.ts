/** A moment as a till wrote it down: comparable by `atMs`, shown as the clock on the shop's wall. */
export interface FileTime {
  atMs: number;
  /** Minutes east of UTC; null when the file names no time zone, then `atMs` counts as if it were UTC. */
  offsetMinutes: number | null;
}

const form = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}:?\d{2})?$/i;

/** Reads ISO 8601 and `YYYY-MM-DD HH:MM[:SS]`; undefined when it is neither, or no day or time of the calendar. */
export function parseFileTime(text: string): FileTime | undefined {
  const [, day, minute, second = '00', fraction = '', zone] = form.exec(text) ?? [];
  if (day === undefined || minute === undefined) return undefined;
  const wallText = `${day}T${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const wallMs = Date.parse(wallText);
  if (Number.isNaN(wallMs) || new Date(wallMs).toISOString() !== wallText) return undefined; // 30 February rolls over
  const offsetMinutes = zone === undefined ? null : parseOffset(zone);
  if (offsetMinutes === undefined) return undefined;
  return { atMs: wallMs - (offsetMinutes ?? 0) * 60_000, offsetMinutes };
}

function parseOffset(zone: string): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  const offset = Number(hours) * 60 + Number(minutes);
  if (Number(minutes) > 59 || offset > 14 * 60) return undefined;
  return sign === '-' ? -offset : offset;
}

/** `Sat 08:14:35` on the wall of the shop. */
export function wallClockText(atMs: number, offsetMinutes: number | null): string {
  const wall = new Date(atMs + (offsetMinutes ?? 0) * 60_000);
  const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][wall.getUTCDay()];
  return `${weekday} ${wall.toISOString().slice(11, 19)}`;
}

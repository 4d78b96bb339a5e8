/** Seconds or a date, as HTTP has it. */
export function retryAfterMs(header: string | undefined): number | null {
  if (header === undefined) return null;
  const seconds = Number(header);
  const pauseMs = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(pauseMs) ? null : Math.max(0, Math.round(pauseMs));
}

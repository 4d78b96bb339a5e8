/** Milliseconds since the epoch → UTC ISO 8601 with milliseconds; null stays null. */
export const isoTime = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

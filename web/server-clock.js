/**
 * What time it is at the server, by which bars and waits go. Whatever the server tells is already past when it arrives, so of all
 * that was heard the latest time, seen from here, is the nearest.
 */
export function createServerClock(localNow = Date.now) {
  let offsetMs = 0;
  const offsetOf = (at) => Date.parse(at) - localNow();
  return {
    /** Anew, from a snapshot: one of the two clocks may have been set. */
    set(at) {
      offsetMs = offsetOf(at);
    },
    /** Something happened there at this time. */
    heard(at) {
      offsetMs = Math.max(offsetMs, offsetOf(at));
    },
    now: () => localNow() + offsetMs,
  };
}

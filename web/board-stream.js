/** Heartbeats are comments, which an EventSource hides: after this long without an event the line is made anew. */
const silentMs = 30_000;
const retryMs = 2_000;

/**
 * Follows the live stream for good. `onChange(kind, data, id)` gets every event; `onConnection(staleSince)` null while it is
 * live, else since when it is not.
 */
export function followBoard({ onChange, onConnection }) {
  let source;
  let lastEventId = '';
  let heardAt = Date.now();
  let staleSince;
  let retry;

  const noteLive = () => {
    heardAt = Date.now();
    if (staleSince === null) return;
    staleSince = null;
    onConnection(null);
  };
  const noteLost = () => {
    if (staleSince) return;
    staleSince = new Date(heardAt);
    onConnection(staleSince);
  };

  const open = () => {
    clearTimeout(retry);
    source?.close();
    const query = lastEventId ? `?lastEventId=${encodeURIComponent(lastEventId)}` : '';
    const next = new EventSource(`/v1/board/stream${query}`);
    source = next;
    heardAt = staleSince === null ? Date.now() : heardAt;
    for (const kind of ['snapshot', 'order', 'bots']) {
      next.addEventListener(kind, (event) => {
        if (source !== next) return;
        lastEventId = event.lastEventId;
        noteLive();
        onChange(kind, JSON.parse(event.data), lastEventId);
      });
    }
    next.addEventListener('error', () => {
      if (source !== next) return;
      noteLost();
      // after a refusal (503, a proxy's 502) the browser gives up; we do not
      if (next.readyState === EventSource.CLOSED) retry = setTimeout(open, retryMs * (0.75 + Math.random() / 2));
    });
  };

  const openWhenSilent = () => {
    if (staleSince === null && Date.now() - heardAt > silentMs) open();
  };
  setInterval(openWhenSilent, 5_000);
  document.addEventListener('visibilitychange', openWhenSilent); // back from sleep
  addEventListener('online', open);
  open();

  return {
    /** Begins again with a snapshot. */
    restart() {
      lastEventId = '';
      open();
    },
  };
}

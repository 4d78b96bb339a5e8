import { LiveRegion } from '../live-region.ts';
import { type Output, writeLine } from '../terminal.ts';
import { type DayView, dayLine, dayLines, waitingNow } from './day-picture.ts';

const historyLength = 40;
const lineEveryMs = 10_000;
const pictureEveryMs = 250;

/** Shows the day while it goes: a picture in place on a terminal, a line now and then elsewhere. Call the result to end it. */
export function showDay(output: Output, view: () => Omit<DayView, 'waitingHistory'>): () => void {
  const waitingHistory: number[] = [];
  if (output.isTTY !== true) {
    let said: string | undefined;
    const warn = () => {
      const { shortage } = view();
      if (shortage !== undefined && shortage !== said) writeLine(output, shortage);
      said = shortage;
    };
    const timers = [
      setInterval(warn, pictureEveryMs),
      setInterval(() => writeLine(output, dayLine({ ...view(), waitingHistory })), lineEveryMs),
    ];
    return () => {
      for (const timer of timers) clearInterval(timer);
      warn(); // a short day
      writeLine(output, dayLine({ ...view(), waitingHistory }));
    };
  }
  const region = new LiveRegion(output);
  let draws = 0;
  const draw = () => {
    const now = view();
    if (draws % 4 === 0) waitingHistory.push(waitingNow(now.sent, now.watch)); // one column a second
    if (waitingHistory.length > historyLength) waitingHistory.shift();
    draws += 1;
    region.draw(dayLines(output, { ...now, waitingHistory }));
  };
  draw();
  const timer = setInterval(draw, pictureEveryMs);
  return () => {
    clearInterval(timer);
    draw();
    region.close();
  };
}

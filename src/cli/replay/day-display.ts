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
    const timer = setInterval(() => writeLine(output, dayLine({ ...view(), waitingHistory })), lineEveryMs);
    return () => {
      clearInterval(timer);
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

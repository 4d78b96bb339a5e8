import { setTimeout as delay } from 'node:timers/promises';
import { type Handler, OrderRefusedError } from '../../workers/bots/handlers/handler.ts';

const defaultMs = Number(process.env.BOT_PROCESSING_MS ?? 50);

/**
 * Does what the order's note says: `takes 250` or `takes 5-25` (milliseconds; the same order always takes the same time),
 * `kills its host`, `fails`, `fails 2 times`, `refuses`, `hears nothing` (ignores its signal for a minute).
 */
const scriptedHandler: Pick<Handler, 'run'> = {
  async run(order, { signal }) {
    const note = order.note ?? '';
    if (note === 'kills its host') process.kill(process.pid, 'SIGKILL');
    if (note === 'refuses') throw new OrderRefusedError('this can never be done');
    if (note === 'fails') throw new Error('not now');
    const failures = Number(/^fails (\d+) times$/.exec(note)?.[1] ?? 0);
    if (order.attempt <= failures) throw new Error('not yet');
    if (note === 'hears nothing') return delay(60_000);
    await delay(durationOf(note, order.number), undefined, { signal });
  },
};

function durationOf(note: string, orderNumber: number): number {
  const [, from, to] = /^takes (\d+)(?:-(\d+))?$/.exec(note) ?? [];
  if (from === undefined) return defaultMs;
  if (to === undefined) return Number(from);
  return Number(from) + (((orderNumber * 2_654_435_761) % 4_294_967_296) / 4_294_967_296) * (Number(to) - Number(from));
}

// biome-ignore lint/style/noDefaultExport: what BOT_HANDLER takes from a module is its default export.
export default scriptedHandler;

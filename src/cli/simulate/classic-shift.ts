import type { Shift } from './shift.ts';
import type { ShiftLog } from './shift-log.ts';

/**
 * The classic shift: a normal, a VIP and a normal order; two bots; one more VIP while both are busy. At the end the
 * newest bot is removed while it is idle, or in the middle of its second order.
 */
export async function runClassicShift(
  shift: Shift,
  log: ShiftLog,
  { removal, processingMs }: { removal: 'idle' | 'mid-order'; processingMs: number },
): Promise<void> {
  for (const lane of ['normal', 'vip', 'normal'] as const) await shift.place(lane);
  await shift.addBot();
  await shift.until('the first bot at work', () => startedCount(shift) >= 1);
  await shift.addBot();
  await shift.until('both bots at work', () => startedCount(shift) >= 2);
  await shift.place('vip');
  if (removal === 'mid-order') {
    await shift.until('both bots at their second order', () => startedCount(shift) >= 4);
    const startedAtMs = Date.parse(shift.record.moves.findLast(({ to }) => to === 'processing')?.at ?? '');
    await shift.letPass(startedAtMs + processingMs / 2 - Date.now()); // the news of the start has taken its time, too
    await shift.removeNewestBot();
  }
  await shift.until('every order complete', () =>
    shift.record.placed.every(({ number }) => shift.statusOf(number) === 'complete'),
  );
  await shift.until('idle bots', () => shift.bots.processing === 0 && shift.bots.idle === shift.bots.total);
  log.write(`${shift.bots.idle === 1 ? 'the bot is' : `all ${shift.bots.idle} bots are`} IDLE, no order is PENDING`);
  if (removal === 'idle') await shift.removeNewestBot();
  await shift.until('one bot left', () => shift.bots.total === 1);
}

function startedCount(shift: Shift): number {
  return shift.record.moves.filter(({ to }) => to === 'processing').length;
}

import { cpuColumn } from '../lab/usage.ts';
import { decimal, median, medianAndRange } from '../statistics.ts';
import type { IntakeSample } from './measure-intake.ts';

/** orders/s, p50, p99, CPU of app/pg/redis, peak memory. */
export function intakeColumns(samples: readonly IntakeSample[]): string[] {
  const middle = (pick: (sample: IntakeSample) => number, digits: number) => decimal(median(samples.map(pick)), digits);
  return [
    medianAndRange(samples.map(({ perSecond }) => perSecond)),
    middle(({ p50Ms }) => p50Ms, 1),
    middle(({ p99Ms }) => p99Ms, 1),
    cpuColumn(samples.map(({ cpu }) => cpu)),
    middle(({ peakMemoryMb }) => peakMemoryMb, 0),
  ];
}

export const intakeHeadings = ['orders/s', 'p50 ms', 'p99 ms', 'CPU us/order app/pg/redis', 'peak MB'];

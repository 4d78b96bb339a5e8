export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** `fraction` 0.99: the value that 99 % are not above. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? Number.NaN;
}

/** `12,300`. */
export const whole = (value: number) => Math.round(value).toLocaleString('en-US');

export const decimal = (value: number, digits = 2) => value.toFixed(digits);

/** `12,300 (11,800–12,900)`: the median, and how far the repetitions were apart. */
export function medianAndRange(values: readonly number[], format: (value: number) => string = whole): string {
  if (values.length < 2) return format(median(values));
  return `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`;
}

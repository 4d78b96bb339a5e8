export interface Spread {
  p50Ms: number;
  p90Ms: number;
  maxMs: number;
}

/** The smallest value that a share of all values does not exceed (nearest rank): always one that really occurred. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Null when there is nothing to describe. */
export function spreadOf(valuesMs: readonly number[]): Spread | null {
  if (valuesMs.length === 0) return null;
  const sorted = valuesMs.toSorted((one, other) => one - other);
  return { p50Ms: quantile(sorted, 0.5), p90Ms: quantile(sorted, 0.9), maxMs: quantile(sorted, 1) };
}

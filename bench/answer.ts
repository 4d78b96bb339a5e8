/** What a question of the bench found out. */
export interface Answer {
  tables: Table[];
  bars: Bar[];
}

export interface Table {
  title: string;
  columns: string[];
  rows: string[][];
  notes: string[];
}

/** A figure that we hold ourselves to. */
export interface Bar {
  name: string;
  measured: number;
  target: number;
  isFloor: boolean;
  unit: 'x' | 'ms' | 's' | 'MB' | 'bytes';
}

export function atLeast(name: string, measured: number, target: number, unit: Bar['unit']): Bar {
  return { name, measured, target, isFloor: true, unit };
}

export function atMost(name: string, measured: number, target: number, unit: Bar['unit']): Bar {
  return { name, measured, target, isFloor: false, unit };
}

/** A figure that could not be had (NaN) is short. */
export function isMet({ measured, target, isFloor }: Bar): boolean {
  return isFloor ? measured >= target : measured <= target;
}

const show = (value: number, unit: Bar['unit']) =>
  `${unit === 'MB' || unit === 'bytes' ? Math.round(value) : value.toFixed(2)}${unit === 'bytes' ? ' bytes' : unit}`;

/** The columns NAME MEASURED TARGET VERDICT. */
export function barColumns(bar: Bar): [name: string, measured: string, target: string, verdict: string] {
  const { name, measured, target, isFloor, unit } = bar;
  const limit = `${isFloor ? '>=' : '<='}${Number(target.toFixed(2))}${unit === 'bytes' ? ' bytes' : unit}`;
  return [name, show(measured, unit), limit, isMet(bar) ? 'ok' : 'short'];
}

export const barLine = (bar: Bar) => `bar: ${barColumns(bar).join(' ').replaceAll(' bytes', 'B')}`;

import type { ReconciliationRun } from '../../domain/reconciliation.ts';
import { countText } from '../count-text.ts';
import { LiveRegion } from '../live-region.ts';
import { type Output, paint, printable, writeLine } from '../terminal.ts';

export interface RunProgress {
  show(runs: readonly ReconciliationRun[]): void;
  close(): void;
}

/** How far each provider is: drawn in place where a person looks, a line when it is done elsewhere. */
export function showRuns(output: Output): RunProgress {
  if (output.isTTY) {
    const region = new LiveRegion(output);
    return {
      show: (runs) => region.draw(inOrder(runs).map((run) => runText(output, run))),
      close: () => region.close(),
    };
  }
  const said = new Set<string>();
  return {
    show(runs) {
      for (const run of inOrder(runs)) {
        if (run.state === 'running' || said.has(run.id)) continue;
        said.add(run.id);
        writeLine(output, runText(output, run));
      }
    },
    close: () => {},
  };
}

/** The server has the newest first. */
const inOrder = (runs: readonly ReconciliationRun[]) => runs.toReversed();

/** What matters most comes first: a terminal cuts the line off where it ends. */
function runText(output: Output, run: ReconciliationRun): string {
  const { provider, movements, ofOthers, compared } = run;
  const read = `${countText(movements, 'movement')}${ofOthers > 0 ? ` (${ofOthers} of other sales)` : ''}`;
  const time = `${minutes(run.from)} to ${minutes(run.to)}`;
  if (run.failure !== null && compared === 0 && movements === 0)
    return `${provider}: ${outcomeText(output, run)}; ${time}`;
  return `${provider}: ${outcomeText(output, run)}; ${countText(compared, 'payment')}, ${read}, ${time}`;
}

function outcomeText(output: Output, { state, failure, lookedAt, found, resolved }: ReconciliationRun): string {
  if (state === 'running') return `comparing, ${lookedAt} looked at again`;
  if (failure !== null) return paint(output, 'red', `FAILED, ${printable(failure)}`);
  const text = `${countText(found, 'difference')}, ${resolved} resolved`;
  return found > 0 ? paint(output, 'red', text) : text;
}

/** `2026-03-01 12:30Z` */
const minutes = (at: string) => `${at.slice(0, 16).replace('T', ' ')}Z`;

import { z } from 'zod';
import {
  type Difference,
  differenceSchema,
  type ReconciliationRun,
  reconciliationRunSchema,
} from '../../domain/reconciliation.ts';
import { askFor, pause, type Server } from '../api-client.ts';
import { CliError, ConnectionLostError } from '../failures.ts';

const stateAnswer = z.object({ runs: z.array(reconciliationRunSchema), differences: z.array(differenceSchema) });
const path = '/v1/admin/reconciliation';
const pollMs = 500;
/** One provider after the other: so long without a run that is under way, and there will be no more. */
const quietMs = 3_000;

export interface ReconcileResult {
  /** Those of this comparison. */
  runs: ReconciliationRun[];
  differences: Difference[];
  /** All that the server said. */
  raw: unknown;
}

/** Has the ledger compared and waits for the end, telling how far it is. Longer than an answer may take, it follows by the list of runs. */
export async function reconcile(
  server: Server,
  { from, to }: { from: Date | undefined; to: Date | undefined },
  show: (runs: readonly ReconciliationRun[]) => void,
): Promise<ReconcileResult> {
  const before = new Set((await readState(server)).value.runs.map(({ id }) => id));
  const ours = (runs: readonly ReconciliationRun[]) => runs.filter(({ id }) => !before.has(id));
  const asked = askFor(
    server,
    {
      method: 'POST',
      path,
      as: 'admin',
      body: { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null },
    },
    stateAnswer,
  ).catch((error: unknown) => {
    if (error instanceof ConnectionLostError) return null; // it goes on all the same
    throw error;
  });
  let answer: Awaited<typeof asked> | undefined;
  const ended = asked.then((value) => {
    answer = value;
  });
  ended.catch(() => undefined); // thrown below
  let quietSince = Date.now();
  for (;;) {
    await Promise.race([ended, pause(pollMs, server.signal)]);
    if (answer) {
      const runs = ours(answer.value.runs);
      show(runs);
      return { runs, differences: answer.value.differences, raw: answer.raw };
    }
    const state = await readState(server);
    const runs = ours(state.value.runs);
    show(runs);
    if (answer === undefined || state.value.runs.some((run) => run.state === 'running')) quietSince = Date.now();
    if (Date.now() - quietSince < quietMs) continue;
    if (runs.length === 0) throw new CliError('the connection was lost, and no comparison has begun');
    return { runs, differences: state.value.differences, raw: state.raw };
  }
}

const readState = (server: Server) => askFor(server, { method: 'GET', path, as: 'admin' }, stateAnswer);

import { type Answer, atLeast, atMost, type Table } from './answer.ts';
import { intakeColumns, intakeHeadings } from './intake/intake-columns.ts';
import { type IntakeSample, measureOnFreshDatabase } from './intake/measure-intake.ts';
import { measureInterleaved, type Question } from './question.ts';
import { median } from './statistics.ts';

const servers = ['naive', 'ours', 'ceiling'] as const;
const connectionCounts = [10, 50, 200] as const;

export const intake: Question = {
  name: 'intake',
  title: 'How many orders a web process takes in, against a transaction per order and against no storage at all',
  async ask(bench) {
    const rows: string[][] = [];
    const perSecond: Record<string, number> = {};
    const p99: Record<string, number> = {};
    const seen: Record<(typeof servers)[number], IntakeSample[]> = { naive: [], ours: [], ceiling: [] };
    for (const connections of connectionCounts) {
      const samples = await measureInterleaved(bench, `intake at ${connections} connections`, servers, (server) =>
        measureOnFreshDatabase(bench, server, connections),
      );
      for (const server of servers) {
        const of = samples[server];
        seen[server].push(...of);
        perSecond[`${server} ${connections}`] = median(of.map((sample) => sample.perSecond));
        p99[`${server} ${connections}`] = median(of.map((sample) => sample.p99Ms));
        rows.push([String(connections), server, ...intakeColumns(of)]);
      }
    }
    const ratio = (a: string, b: string, figures = perSecond) =>
      (figures[a] ?? Number.NaN) / (figures[b] ?? Number.NaN);
    return {
      tables: [intakeTable(rows, seen)],
      bars: [
        atLeast('intake-10-to-naive', ratio('ours 10', 'naive 10'), 2, 'x'),
        atLeast('intake-50-to-naive', ratio('ours 50', 'naive 50'), 4, 'x'),
        atLeast('intake-200-to-naive', ratio('ours 200', 'naive 200'), 4, 'x'),
        atMost('intake-200-p99-to-naive', ratio('ours 200', 'naive 200', p99), 0.5, 'x'),
        atLeast('intake-200-to-ceiling', ratio('ours 200', 'ceiling 200'), 0.25, 'x'),
      ],
    } satisfies Answer;
  },
};

function intakeTable(rows: string[][], seen: Record<(typeof servers)[number], IntakeSample[]>): Table {
  const complaints = seen.ours.flatMap((sample) => sample.complaints);
  return {
    title: 'Intake: POST /v1/orders, Redis',
    columns: ['connections', 'server', ...intakeHeadings],
    rows,
    notes: [
      'Naive: a pool of 10, BEGIN, four inserts by named statements, COMMIT, Queue.add, removal of the outbox row, answer. Ceiling: the same route and answer, nothing stored.',
      'Checked after each run: rows for every answer, two items and one event each, as many jobs as rows, no outbox row left; ours also: each lane in the order of the numbers.',
      `Ours: at most ${Math.max(...seen.ours.map((sample) => sample.backlog))} jobs on their way to Redis when a load ended.`,
      `Naive: ${seen.naive.reduce((sum, sample) => sum + sample.outOfOrder, 0)} jobs in another order than their numbers, which nobody promised.`,
      ...(complaints.length > 0 ? [`Ours logged ${complaints.length} warnings, the first: ${complaints[0]}`] : []),
    ],
  };
}

import { type Answer, atLeast } from './answer.ts';
import { intakeColumns, intakeHeadings } from './intake/intake-columns.ts';
import { measureOnFreshDatabase } from './intake/measure-intake.ts';
import { measureInterleaved, type Question } from './question.ts';
import { median } from './statistics.ts';

const servers = ['open', 'ours'] as const;
const connectionCounts = [50, 200] as const;

export const auth: Question = {
  name: 'auth',
  title: 'What sign-in costs an order: the same web process with it and without',
  async ask(bench) {
    const rows: string[][] = [];
    const bars = [];
    for (const connections of connectionCounts) {
      const samples = await measureInterleaved(bench, `auth at ${connections} connections`, servers, (server) =>
        measureOnFreshDatabase(bench, server, connections),
      );
      for (const server of servers) rows.push([String(connections), server, ...intakeColumns(samples[server])]);
      const perSecond = (server: (typeof servers)[number]) => median(samples[server].map((sample) => sample.perSecond));
      bars.push(atLeast(`auth-${connections}-to-open`, perSecond('ours') / perSecond('open'), 0.85, 'x'));
    }
    return {
      tables: [
        {
          title: 'Sign-in: POST /v1/orders, Redis, 500 customers with a session each',
          columns: ['connections', 'server', ...intakeHeadings],
          rows,
          notes: [
            'Open: the same process; a token is neither verified nor its session looked up. 0.85 is a cost of 15 %.',
          ],
        },
      ],
      bars,
    } satisfies Answer;
  },
};

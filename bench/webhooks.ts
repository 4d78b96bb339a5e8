import { type Answer, atLeast, atMost } from './answer.ts';
import { type Lab, queuePrefix } from './lab/lab.ts';
import { startProgram } from './lab/program.ts';
import { measureInterleaved, type Question } from './question.ts';
import { decimal, median, percentile, whole } from './statistics.ts';
import { flood } from './webhooks/flood.ts';

const backends = ['redis', 'postgres'] as const;
type Backend = (typeof backends)[number];
const perSecond = 500;
const secret = 'whsec_of_the_bench';

interface Sample {
  answerMs: number[];
  refused: number;
  stored: number;
  sent: number;
}

export const webhooks: Question = {
  name: 'webhooks',
  title: 'A flood of webhooks: is each stored, and how soon answered',
  async ask(bench) {
    const seconds = bench.isQuick ? 2 : 10;
    const samples = await measureInterleaved(bench, 'webhook flood', backends, (backend) =>
      measureFlood(bench.lab, backend, seconds),
    );
    const answer: Answer = { tables: [], bars: [] };
    const rows: string[][] = [];
    for (const backend of backends) {
      const of = (fraction: number) => median(samples[backend].map(({ answerMs }) => percentile(answerMs, fraction)));
      const share = Math.min(...samples[backend].map(({ stored, sent }) => stored / sent));
      const refused = samples[backend].reduce((sum, sample) => sum + sample.refused, 0);
      rows.push([
        backend,
        whole(perSecond * seconds),
        ...[0.5, 0.99, 1].map((fraction) => decimal(of(fraction))),
        String(refused),
        decimal(share, 4),
      ]);
      answer.bars.push(
        atMost(`webhooks-${backend}-p99`, of(0.99), 100, 'ms'),
        atLeast(`webhooks-${backend}-stored`, share, 1, 'x'),
      );
    }
    answer.tables.push({
      title: `Webhooks: ${perSecond} signed events a second for ${seconds} s, at one web process`,
      columns: ['backend', 'sent', 'p50 ms', 'p99 ms', 'max ms', 'refused', 'stored of sent'],
      rows,
      notes: ['Sent whether or not earlier ones are answered. The jobs that handle them wait for a worker meanwhile.'],
    });
    return answer;
  },
};

async function measureFlood(lab: Lab, backend: Backend, seconds: number): Promise<Sample> {
  await lab.flushRedis();
  const database = await lab.createDatabase();
  try {
    const program = await startProgram<{ url: string }>({
      role: 'web',
      file: 'bench/intake/our-server.ts',
      env: {
        ENV: 'development',
        PORT: '0',
        LOG_LEVEL: 'warn',
        DATABASE_URL: database.url,
        ...(backend === 'redis' && { REDIS_URL: lab.redisUrl }),
        QUEUE_PREFIX: queuePrefix,
        JWT_SECRET: 'a secret of the bench that is long enough',
        STRIPE_SECRET_KEY: 'sk_test_of_the_bench',
        STRIPE_WEBHOOK_SECRET: secret,
      },
    });
    const address = `${program.ready.url}/v1/webhooks/stripe`;
    await flood(address, { perSecond: 100, seconds: 1, secret, prefix: 'warm_' });
    const found = await flood(address, { perSecond, seconds, secret, prefix: 'evt_' });
    await program.stop();
    const [row] = await database.query<{ stored: string }>(
      "SELECT count(*) AS stored FROM webhook_events WHERE event_id LIKE 'evt\\_%'",
    );
    return { ...found, stored: Number(row?.stored), sent: perSecond * seconds };
  } finally {
    await database.drop();
  }
}

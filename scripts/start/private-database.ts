import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { type PrivatePostgres, startPrivatePostgres } from '../../sandbox/private-postgres.ts';
import type { Output } from './output.ts';

const demoDatabase = 'twolane';

// Kept as the database's comment: samples go only into a database that this script made, and once.
const samplesDue = 'made by npm start, samples are still to come';
const samplesLoaded = 'made by npm start, with samples';

export type PrivateDatabase = {
  url: string;
  needsSamples: boolean;
  /** Call it after the samples are in: until then they are loaded again at the next start. */
  noteSamplesLoaded(): Promise<void>;
};

export async function openPrivateDatabase(postgres: PrivatePostgres): Promise<PrivateDatabase> {
  const comment = await asAdmin(postgres, async (client) => {
    const found = await readComment(client);
    if (found !== undefined) return found;
    await client.query(`CREATE DATABASE ${escapeIdentifier(demoDatabase)}`);
    await setComment(client, samplesDue);
    return samplesDue;
  });
  const url = new URL(postgres.url);
  url.pathname = `/${demoDatabase}`;
  return {
    url: url.href,
    needsSamples: comment === samplesDue,
    noteSamplesLoaded: () => asAdmin(postgres, (client) => setComment(client, samplesLoaded)),
  };
}

async function asAdmin<Result>({ url }: PrivatePostgres, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client(url);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Undefined when there is no such database, null when it has no comment. */
async function readComment(client: Client): Promise<string | null | undefined> {
  const { rows } = await client.query<{ comment: string | null }>(
    `SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1`,
    [demoDatabase],
  );
  return rows[0]?.comment;
}

async function setComment(client: Client, comment: string): Promise<void> {
  await client.query(`COMMENT ON DATABASE ${escapeIdentifier(demoDatabase)} IS ${escapeLiteral(comment)}`);
}

export async function startDemoPostgres(dataFolder: string, output: Output): Promise<PrivatePostgres> {
  const postgres = await startPrivatePostgres({ dataDir: dataFolder, log: (line) => output.say(line) });
  const { major, port, movedTo, dataDir } = postgres;
  output.say(`Postgres ${major} is running on 127.0.0.1:${port}, its data are in ${dataDir}`, { movedTo });
  if (movedTo) output.say(`(the user it runs as cannot enter ${dataFolder}, so they are not there)`);
  return postgres;
}

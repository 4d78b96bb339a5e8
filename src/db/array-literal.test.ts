import pg from 'pg';
import { expect, it } from 'vitest';
import { plainArray, textArray } from './array-literal.ts';

it('gives Postgres back what went in, quotes, braces, backslashes and nulls included', async () => {
  const client = new pg.Client(process.env.TEST_DATABASE_URL);
  await client.connect();
  const texts = [
    'plain',
    '',
    'NULL',
    'null',
    'a,b',
    '{x}',
    'say "hi"',
    'back\\slash',
    "O'Brien",
    'ünï😀',
    ' lead and trail ',
    '\n\t',
    null,
  ];
  try {
    const { rows } = await client.query('SELECT $1::text[] AS texts, $2::int[] AS numbers', [
      textArray(texts),
      plainArray([1, -2, 3]),
    ]);
    expect(rows[0]).toEqual({ texts, numbers: [1, -2, 3] });
  } finally {
    await client.end();
  }
});

import { writeFileSync } from 'node:fs';
import pg from 'pg';
import { type AccessTokens, createAccessTokens } from '../../src/accounts/access-tokens.ts';
import { UnauthenticatedError } from '../../src/domain/errors.ts';
import type { Actor } from '../../src/domain/user.ts';
import type { LabDatabase } from '../lab/lab-database.ts';

/** The tokens of every server under test. */
export function createBenchTokens(secret: string): AccessTokens {
  const accessTokenMs = 24 * 3_600_000;
  return createAccessTokens({
    ...{ secrets: [secret], issuer: 'twolane', audience: 'twolane-api' },
    ...{ accessTokenMs, refreshTokenMs: accessTokenMs },
  });
}

/** Believes a token as it is: who stands behind it is known by heart, no session is looked up. */
export async function createBearerAuthenticate(databaseUrl: string, secret: string) {
  const tokens = createBenchTokens(secret);
  const customers = await readCustomers(databaseUrl);
  return ({ headers: { authorization } }: { headers: { authorization?: string | undefined } }): Actor => {
    if (!authorization?.startsWith('Bearer ')) throw new UnauthenticatedError();
    const actor = customers.get(tokens.verify(authorization.slice(7)).userId);
    if (!actor) throw new UnauthenticatedError();
    return actor;
  };
}

export async function readCustomers(databaseUrl: string): Promise<Map<string, Actor>> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const { rows } = await client.query<Actor>('SELECT id AS "userId", email, role FROM users');
  await client.end();
  return new Map(rows.map((actor) => [actor.userId, actor]));
}

/** A token for every customer, one a line, each of a session of its own. */
export async function writeTokens(database: LabDatabase, secret: string, file: string): Promise<void> {
  const tokens = createBenchTokens(secret);
  const sessions = await database.query<{ userId: string; sessionId: string }>(
    `INSERT INTO sessions (id, user_id, expires_at) SELECT gen_random_uuid(), id, now() + interval '1 day' FROM users ORDER BY id
     RETURNING user_id AS "userId", id AS "sessionId"`,
  );
  writeFileSync(file, sessions.map((claims) => `${tokens.sign(claims)}\n`).join(''));
}

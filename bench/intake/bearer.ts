import { writeFileSync } from 'node:fs';
import { createSigner, createVerifier } from 'fast-jwt';
import { z } from 'zod';
import { UnauthenticatedError } from '../../src/domain/errors.ts';
import { type Actor, roleSchema } from '../../src/domain/user.ts';
import type { Authenticate } from '../../src/http/authenticate.ts';
import type { LabDatabase } from '../lab/lab-database.ts';

const claims = z.object({ sub: z.uuid(), email: z.string(), role: roleSchema });

/** Verifies an HS256 token, with the same settings in every server under test. */
export function createBearerAuthenticate(secret: string): Authenticate {
  const verify = createVerifier({ key: secret, algorithms: ['HS256'], cache: true });
  return ({ headers: { authorization } }) => {
    if (!authorization?.startsWith('Bearer ')) throw new UnauthenticatedError();
    const { sub, email, role } = verify(authorization.slice(7)) as z.infer<typeof claims>; // signed by writeTokens alone
    return { userId: sub, email, role };
  };
}

/** A token for every customer, one a line. */
export async function writeTokens(database: LabDatabase, secret: string, file: string): Promise<void> {
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: 24 * 3_600_000 });
  const users = await database.query<Actor>('SELECT id AS "userId", email, role FROM users ORDER BY id');
  writeFileSync(
    file,
    users.map(({ userId, email, role }) => `${sign(claims.parse({ sub: userId, email, role }))}\n`).join(''),
  );
}

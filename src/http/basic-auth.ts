import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { EngineError, ForbiddenError } from '../domain/errors.ts';
import type { AdminGuesses } from '../operations/admin-guesses.ts';

const refusal = 'This page is for admins: ADMIN_USERNAME and ADMIN_PASSWORD.';

/**
 * Lets admins pass, by Basic auth compared in constant time, and gives their name; where no admin is configured, nobody. Whether
 * the comparison may be made at all, the guesses before it decide.
 */
export function createAdminCheck(admin: { username: string; password: string } | null, guesses: AdminGuesses) {
  const expected = digest(admin ? `${admin.username}:${admin.password}` : '');
  return async (request: FastifyRequest): Promise<string> => {
    const { authorization } = request.headers;
    const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1];
    if (admin === null || encoded === undefined) throw new EngineError('admin_credentials_invalid', refusal);
    const given = digest(Buffer.from(encoded, 'base64').toString('utf8'));
    if (!(await guesses.judge(request.ip, () => timingSafeEqual(given, expected))))
      throw new EngineError('admin_credentials_invalid', refusal);
    if (isSentByAnotherPage(request)) throw new ForbiddenError('Another page sent this, not one of ours.');
    return admin.username;
  };
}

/** Of one name and password: browsers compose what they send, and a file may hold it decomposed. */
const digest = (text: string) => createHash('sha256').update(text.normalize('NFC')).digest();

/** A browser that knows the password sends it along with whatever any page makes it send. Only browsers say where from. */
function isSentByAnotherPage({ method, headers, host }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}

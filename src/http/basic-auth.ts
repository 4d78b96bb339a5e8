import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EngineError } from '../domain/errors.ts';
import { sendProblem } from './problem.ts';

/**
 * Lets admins pass, by Basic auth compared in constant time; where no admin is configured, nobody. It answers by itself: pages
 * of others (Bull Board) have an error handler of their own, which knows nothing of a 401.
 */
export function createAdminCheck(admin: { username: string; password: string } | null) {
  const expected = admin && digest(`${admin.username}:${admin.password}`);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const given = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const isAdmin =
      timingSafeEqual(digest(Buffer.from(given, 'base64').toString('utf8')), expected ?? digest('')) &&
      expected !== null;
    if (isAdmin) return undefined;
    const refusal = 'This page is for admins: ADMIN_USERNAME and ADMIN_PASSWORD.';
    await sendProblem(new EngineError('admin_credentials_invalid', refusal), request, reply);
    return reply;
  };
}

const digest = (text: string) => createHash('sha256').update(text).digest();

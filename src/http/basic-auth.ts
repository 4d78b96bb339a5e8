import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { EngineError } from '../domain/errors.ts';

/** Lets admins pass, by Basic auth compared in constant time; where no admin is configured, nobody. */
export function createAdminCheck(admin: { username: string; password: string } | null) {
  const expected = admin && digest(`${admin.username}:${admin.password}`);
  return async (request: FastifyRequest): Promise<void> => {
    const given = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const isAdmin =
      timingSafeEqual(digest(Buffer.from(given, 'base64').toString('utf8')), expected ?? digest('')) &&
      expected !== null;
    if (!isAdmin)
      throw new EngineError('admin_credentials_invalid', 'This page is for admins: ADMIN_USERNAME and ADMIN_PASSWORD.');
  };
}

const digest = (text: string) => createHash('sha256').update(text).digest();

import type { FastifyRequest } from 'fastify';
import { ForbiddenError, UnauthenticatedError } from '../domain/errors.ts';
import type { Actor, Role } from '../domain/user.ts';

/** Says who sends a request; throws `UnauthenticatedError`. */
export type Authenticate = (request: FastifyRequest) => Actor | Promise<Actor>;

const loopback = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const keepForMs = 2_000;

/**
 * Stands in for sign-in: the header `x-twolane-user` names a sample account. Only from this machine, and only where
 * `ENV=development`; anywhere else nobody is signed in.
 */
export function createDevelopmentAuthenticate(
  findActor: (email: string) => Promise<Actor | null>,
  env: string,
): Authenticate {
  const known = new Map<string, { actor: Actor; until: number }>();
  return async (request) => {
    const email = request.headers['x-twolane-user'];
    if (env !== 'development' || typeof email !== 'string' || !loopback.has(request.socket.remoteAddress ?? ''))
      throw new UnauthenticatedError();
    const remembered = known.get(email);
    if (remembered && remembered.until > Date.now()) return remembered.actor;
    const actor = await findActor(email);
    if (!actor) throw new UnauthenticatedError('There is no such account.');
    if (known.size > 1_000) known.clear();
    known.set(email, { actor, until: Date.now() + keepForMs });
    return actor;
  };
}

export function requireRole(actor: Actor, role: Role): void {
  if (actor.role !== role) throw new ForbiddenError(`Only a ${role.toLowerCase()} may do this.`);
}

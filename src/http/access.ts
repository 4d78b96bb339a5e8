import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { AccessTokens } from '../accounts/access-tokens.ts';
import type { AuditActor } from '../domain/audit.ts';
import { UnauthenticatedError } from '../domain/errors.ts';
import { assertMay, type Permission } from '../domain/permissions.ts';
import type { Actor } from '../domain/user.ts';
import type { AdminGuesses } from '../operations/admin-guesses.ts';
import type { SessionCache } from '../operations/session-cache.ts';
import { createAdminCheck } from './basic-auth.ts';

/**
 * Who gets into a route, said by the route itself (`config: { access: … }`): everybody, an account whose role has the
 * permission, the admin by Basic auth, or the admin and accounts that may see how things run.
 */
export type Access = 'public' | 'admin' | 'admin or manager' | Permission;

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyInstance {
    /** Every route that is served, with whom it is for. */
    guardedRoutes: readonly RouteOptions[];
  }
  interface FastifyRequest {
    /** Who is signed in; null where the route is public or the admin's. */
    actor: Actor | null;
    sessionId: string | null;
    /** Why a token that was given is not believed. */
    refusal: UnauthenticatedError | null;
    adminName: string | null;
  }
}

export interface GuardDeps {
  tokens: AccessTokens;
  sessions: Pick<SessionCache, 'find'>;
  admin: { username: string; password: string } | null;
  adminGuesses: AdminGuesses;
}

/**
 * The guard of every route: 1. on request it is found out who asks, without refusing anybody, so that 2. the rate limit knows
 * whom to count; 3. before the body is read, whoever may not is refused. A route that does not say who gets in stops the start.
 */
export function guardRoutes(app: FastifyInstance, { tokens, sessions, admin, adminGuesses }: GuardDeps): void {
  const checkAdmin = createAdminCheck(admin, adminGuesses);
  const routes: RouteOptions[] = [];
  app.decorate('guardedRoutes', routes);
  app.decorateRequest('actor', null);
  app.decorateRequest('sessionId', null);
  app.decorateRequest('refusal', null);
  app.decorateRequest('adminName', null);
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.addHook('onReady', async () => {
    const open = routes
      .filter((route) => route.config?.access === undefined)
      .map(({ method, url }) => `${method} ${url}`);
    if (open.length > 0) throw new Error(`these routes do not say who gets in (config.access): ${open.join(', ')}`);
  });

  // With callbacks, not promises: this is on the way of every order.
  app.addHook('onRequest', (request, _reply, done) => {
    const token = needsAccount(request) ? bearerOf(request) : null;
    if (token === null) return done();
    let sessionId: string;
    try {
      sessionId = request.sessionId = tokens.verify(token).sessionId;
    } catch (error) {
      request.refusal = error as UnauthenticatedError;
      return done();
    }
    const know = (actor: Actor | null) => {
      request.actor = actor;
      if (!actor) request.refusal = new UnauthenticatedError('This session has ended. Sign in again.');
      done();
    };
    const found = sessions.find(sessionId);
    if (found instanceof Promise) found.then(know, done);
    else know(found);
  });

  app.addHook('preParsing', (request, _reply, _payload, done) => {
    const access = request.is404 ? 'public' : request.routeOptions.config.access;
    if (access === 'public') return done();
    if (access === 'admin' || (access === 'admin or manager' && bearerOf(request) === null)) {
      checkAdmin(request).then((adminName) => {
        request.adminName = adminName;
        done();
      }, done);
      return;
    }
    try {
      assertMay(actorOf(request), access === 'admin or manager' ? 'operations:read' : (access ?? 'account:read'));
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

/** For routes that a plugin adds: what it registers in this scope from now on is for these. */
export function markRoutes(scope: FastifyInstance, access: Access): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: route.config?.access ?? access };
  });
}

/** Who is signed in. */
export function actorOf(request: FastifyRequest): Actor {
  if (request.actor) return request.actor;
  throw request.refusal ?? new UnauthenticatedError();
}

/** Who is responsible for what this request does. */
export function auditActorOf(request: FastifyRequest): AuditActor {
  if (request.actor) return { kind: 'user', id: request.actor.userId, name: request.actor.email };
  return { kind: 'admin', name: request.adminName ?? 'admin' };
}

function needsAccount({ routeOptions: { config } }: FastifyRequest): boolean {
  return config.access !== undefined && config.access !== 'public' && config.access !== 'admin';
}

function bearerOf({ headers: { authorization } }: FastifyRequest): string | null {
  const token = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
  return token ?? null;
}

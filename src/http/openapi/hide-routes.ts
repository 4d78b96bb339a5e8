import type { FastifyInstance } from 'fastify';

/** What is registered in this scope from now on is no part of the API: pages, their assets, what others have built. */
export function hideRoutes(scope: FastifyInstance): void {
  scope.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
}

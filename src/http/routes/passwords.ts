import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newPasswordSchema } from '../../domain/user.ts';
import { changePassword } from '../../operations/change-password.ts';
import { setPassword } from '../../operations/set-password.ts';
import { actorOf, auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { userParams } from './users.ts';

const change = z.strictObject({
  currentPassword: z.string().max(1_000), // of any form, as at a sign-in: it is right or wrong
  newPassword: newPasswordSchema,
});

/** New passwords: one's own, and, by the admin, anybody's. */
export async function passwordRoutes(scope: FastifyInstance, { database, sessions }: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const deps = { pool: database.pool, sessions };

  app.post(
    '/v1/me/password',
    {
      config: {
        access: 'account:read',
        problems: ['forbidden', 'too_many_attempts'],
        answers: { 204: 'Changed. This session goes on, all others of the account have ended.' },
      },
      schema: {
        operationId: 'changePassword',
        tags: ['Accounts'],
        summary: 'Change my password',
        description:
          'A wrong current password is refused with `forbidden`, and counts as a failed sign-in of the account and the address.',
        body: change,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const { sessionId, ip: address } = request;
      await changePassword(deps, actorOf(request), { ...request.body, sessionId, address });
      return reply.code(204).send();
    },
  );

  app.put(
    '/v1/admin/users/:id/password',
    {
      config: {
        access: 'admin',
        problems: ['user_not_found'],
        answers: { 204: 'Set. All sessions of the account have ended, and it need not wait after failed sign-ins.' },
      },
      schema: {
        operationId: 'setPassword',
        tags: ['Administration'],
        summary: 'Give an account a new password',
        params: userParams,
        body: z.strictObject({ password: newPasswordSchema }),
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const by = { actor: auditActorOf(request), address: request.ip };
      await setPassword(deps, { userId: request.params.id, password: request.body.password }, by);
      return reply.code(204).send();
    },
  );
}

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findUser, listUsers } from '../../db/users.ts';
import { UnauthenticatedError } from '../../domain/errors.ts';
import { pageLimitSchema, pageOf } from '../../domain/page.ts';
import { textSchema } from '../../domain/text.ts';
import { displayNameSchema, emailSchema, newPasswordSchema, roleSchema, userSchema } from '../../domain/user.ts';
import { addAccount } from '../../operations/add-account.ts';
import { closeAccount } from '../../operations/close-account.ts';
import { setRole } from '../../operations/set-role.ts';
import { actorOf, auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';

const userAnswer = z.object({ user: userSchema });
const nobody = '00000000-0000-0000-0000-000000000000';
/** What can be no account's id is the id of no account: 404, like any other that is not there. */
export const userParams = z.object({
  id: z
    .string()
    .transform((text) => (z.uuid().safeParse(text).success ? text : nobody))
    .meta({ description: 'The id of the account', format: 'uuid' }),
});
const roleBody = z.strictObject({ role: roleSchema });
const newAccount = z.strictObject({
  email: emailSchema,
  displayName: displayNameSchema,
  password: newPasswordSchema,
  role: roleSchema,
});
const listQuery = z.strictObject({
  role: roleSchema.optional().describe('Only accounts of this role'),
  q: textSchema(254).min(1).optional().describe('A part of the e-mail or the name'),
  limit: pageLimitSchema,
  cursor: z.uuid('is not a cursor of ours').optional().describe('The `nextCursor` of the page before'),
});

export async function userRoutes(scope: FastifyInstance, { database, sessions }: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const { pool } = database;
  const changeRole = async (request: FastifyRequest, userId: string, role: z.infer<typeof roleSchema>) => ({
    user: await setRole({ pool, sessions }, { userId, role }, { actor: auditActorOf(request), address: request.ip }),
  });

  app.get(
    '/v1/me',
    {
      config: { access: 'account:read', answers: { 200: 'The account that is signed in.' } },
      schema: { operationId: 'getMe', tags: ['Accounts'], summary: 'Who am I?', response: { 200: userAnswer } },
    },
    async (request) => {
      const user = await findUser(pool, actorOf(request).userId);
      if (!user) throw new UnauthenticatedError('This account is gone.');
      return { user };
    },
  );

  app.patch(
    '/v1/users/:id',
    {
      config: {
        access: 'account:set-role',
        problems: ['user_not_found', 'last_manager'],
        answers: { 200: 'The account as it is now. Its sessions go on with the new role.' },
      },
      schema: {
        operationId: 'setRole',
        tags: ['Accounts'],
        summary: 'Give an account another role',
        description: 'There is always one manager left.',
        params: userParams,
        body: roleBody,
        response: { 200: userAnswer },
      },
    },
    async (request) => changeRole(request, request.params.id, request.body.role),
  );

  // The first manager of a new system is made by its admin.
  app.post(
    '/v1/admin/users',
    {
      config: { access: 'admin', problems: ['email_taken'], answers: { 201: 'The new account.' } },
      schema: {
        operationId: 'addUser',
        tags: ['Administration'],
        summary: 'Add an account',
        description: 'Of any role: the first manager of a new system is made this way.',
        body: newAccount,
        response: { 201: userAnswer },
      },
    },
    async (request, reply) => {
      const by = { actor: auditActorOf(request), address: request.ip };
      return reply.code(201).send({ user: await addAccount(pool, request.body, by) });
    },
  );

  app.patch(
    '/v1/admin/users/:id',
    {
      config: {
        access: 'admin',
        problems: ['user_not_found', 'last_manager'],
        answers: { 200: 'The account as it is now. Its sessions go on with the new role.' },
      },
      schema: {
        operationId: 'setRoleAsAdmin',
        tags: ['Administration'],
        summary: 'Give an account another role, as the admin',
        params: userParams,
        body: roleBody,
        response: { 200: userAnswer },
      },
    },
    async (request) => changeRole(request, request.params.id, request.body.role),
  );

  app.delete(
    '/v1/admin/users/:id',
    {
      config: {
        access: 'admin',
        problems: ['user_not_found', 'last_manager'],
        answers: { 204: 'Closed. All its sessions have ended; its orders stay; its e-mail is free again.' },
      },
      schema: {
        operationId: 'closeAccount',
        tags: ['Administration'],
        summary: 'Close an account',
        description: 'For good. There is always one manager left.',
        params: userParams,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const by = { actor: auditActorOf(request), address: request.ip };
      await closeAccount({ pool, sessions }, request.params.id, by);
      return reply.code(204).send();
    },
  );

  app.get(
    '/v1/admin/users',
    {
      config: {
        access: 'admin or manager',
        answers: { 200: 'A page, oldest first; `nextCursor` is null on the last.' },
      },
      schema: {
        operationId: 'listUsers',
        tags: ['Administration'],
        summary: 'List the accounts',
        querystring: listQuery,
        response: { 200: z.object({ users: z.array(userSchema), nextCursor: z.string().nullable() }) },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const found = await listUsers(pool, { ...filter, afterId: cursor, limit: limit + 1 });
      const { items: users, nextCursor } = pageOf(found, limit, ({ id }) => id);
      return { users, nextCursor };
    },
  );
}

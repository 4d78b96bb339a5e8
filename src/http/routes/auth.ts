import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { textSchema } from '../../domain/text.ts';
import { displayNameSchema, emailSchema, newPasswordSchema, userSchema } from '../../domain/user.ts';
import { addAccount } from '../../operations/add-account.ts';
import { refreshSession } from '../../operations/refresh-session.ts';
import { signIn } from '../../operations/sign-in.ts';
import { signOut } from '../../operations/sign-out.ts';
import type { AppDeps } from '../app-deps.ts';

const signedIn = z
  .object({
    accessToken: z.string().describe('Send it as `Authorization: Bearer …`'),
    refreshToken: z.string().describe('For one use; keep it secret'),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().min(1).describe('Seconds until the access token ends'),
    user: userSchema,
  })
  .meta({ id: 'SignedIn', description: 'A session, as its owner holds it.' });
const registration = z.strictObject({
  email: emailSchema,
  password: newPasswordSchema,
  displayName: displayNameSchema,
});
// What cannot be an account's is no fault of form: it is refused like any other that is wrong.
const credentials = z.strictObject({ email: textSchema(1_000), password: z.string().max(1_000) });
const refreshBody = z.strictObject({ refreshToken: z.string().max(1_000) });

/** Accounts and their sessions. */
export async function authRoutes(scope: FastifyInstance, deps: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const { database, tokens, sessions, config } = deps;
  const { pool } = database;
  const signInDeps = { pool, tokens, sessions, refreshTokenMs: config.tokens?.refreshTokenMs ?? 0 };
  // Tokens are for who asked, not for whatever stands between.
  app.addHook('onSend', async (_request, reply) => {
    void reply.header('cache-control', 'no-store');
  });

  app.post(
    '/v1/auth/register',
    {
      config: { access: 'public', problems: ['email_taken'], answers: { 201: 'The new account, of the role NORMAL.' } },
      schema: {
        operationId: 'register',
        tags: ['Accounts'],
        summary: 'Register',
        body: registration,
        response: { 201: z.object({ user: userSchema }) },
      },
    },
    async (request, reply) => {
      const user = await addAccount(pool, { ...request.body, role: 'NORMAL' }, { actor: null, address: request.ip });
      return reply.code(201).send({ user });
    },
  );

  app.post(
    '/v1/auth/login',
    {
      config: {
        access: 'public',
        problems: ['credentials_invalid', 'too_many_attempts'],
        answers: { 200: 'A new session.' },
      },
      schema: {
        operationId: 'signIn',
        tags: ['Accounts'],
        summary: 'Sign in',
        description:
          'An unknown e-mail is refused like a wrong password. After some failures the account and the address wait, longer each time.',
        body: credentials,
        response: { 200: signedIn },
      },
    },
    async (request) => signIn(signInDeps, { ...request.body, address: request.ip }),
  );

  app.post(
    '/v1/auth/refresh',
    {
      config: {
        access: 'public',
        problems: ['unauthenticated', 'refresh_token_reused'],
        answers: { 200: 'The session with new tokens.' },
      },
      schema: {
        operationId: 'refreshSession',
        tags: ['Accounts'],
        summary: 'Stay signed in',
        description:
          'A refresh token is used once. One that comes back within 10 s gets a sibling, as its answer may have been lost; one that comes back later ends the session.',
        body: refreshBody,
        response: { 200: signedIn },
      },
    },
    async (request) => refreshSession(signInDeps, { ...request.body, address: request.ip }),
  );

  app.post(
    '/v1/auth/logout',
    {
      config: { access: 'public', answers: { 204: 'Signed out, also when it was before.' } },
      schema: {
        operationId: 'signOut',
        tags: ['Accounts'],
        summary: 'Sign out',
        description: 'Ends the session: its access tokens stop working too.',
        body: refreshBody,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await signOut(signInDeps, { ...request.body, address: request.ip });
      return reply.code(204).send();
    },
  );
}

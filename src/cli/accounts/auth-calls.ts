import { z } from 'zod';
import { userSchema } from '../../domain/user.ts';
import { askFor, callApi, type Server } from '../api-client.ts';
import type { Session } from './session-file.ts';

const tokensAnswer = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  expiresIn: z.number(),
  user: userSchema,
});
export type Tokens = z.infer<typeof tokensAnswer>;

/** At the latest; a token that lives shorter is renewed in the last fifth of its life. */
const renewBeforeEndMs = 30_000;

/** Throws `RefusedError` with `credentials_invalid` for a wrong password and for no such account. */
export async function logIn(server: Server, email: string, password: string): Promise<Tokens> {
  const body = { email, password };
  const { value } = await askFor(server, { method: 'POST', path: '/v1/auth/login', as: 'nobody', body }, tokensAnswer);
  return value;
}

/** Repeating it is safe: for some seconds a used token gives its siblings. */
export async function refreshTokens(server: Server, refreshToken: string): Promise<Tokens> {
  const { value } = await askFor(
    server,
    { method: 'POST', path: '/v1/auth/refresh', as: 'nobody', isRepeatable: true, body: { refreshToken } },
    tokensAnswer,
  );
  return value;
}

export async function logOut(server: Server, refreshToken: string): Promise<void> {
  await callApi(server, {
    method: 'POST',
    path: '/v1/auth/logout',
    as: 'nobody',
    isRepeatable: true,
    body: { refreshToken },
  });
}

export function sessionFrom({ url }: Server, tokens: Tokens, isAutomatic: boolean): Session {
  const lifeMs = tokens.expiresIn * 1_000;
  return {
    server: url.origin,
    email: tokens.user.email,
    accessToken: tokens.accessToken,
    renewAtMs: Date.now() + lifeMs - Math.min(renewBeforeEndMs, lifeMs / 5),
    refreshToken: tokens.refreshToken,
    isAutomatic,
  };
}

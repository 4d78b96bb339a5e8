import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Role, User } from '../../src/domain/user.ts';
import { type Api, type CallOptions, type Problem, samplePassword } from './api.ts';
import { adminHeader } from './engine.ts';

export interface SignedIn {
  accessToken: string;
  refreshToken: string;
  user: User;
}

export const newPassword = 'another long sentence';
export const bearer = (accessToken: string) => ({ headers: { authorization: `Bearer ${accessToken}` } });

/** Accounts of a test's own, and what becomes of their passwords and sessions. Each begins with the sample password. */
export function createPeople(api: () => Api) {
  const call = <Body>(method: string, path: string, options: CallOptions = {}) =>
    api().call<Body & Problem>(method, path, options);
  const login = (email: string, password = samplePassword) =>
    call<SignedIn>('POST', '/v1/auth/login', { body: { email, password } });
  const refresh = (refreshToken: string) => call<SignedIn>('POST', '/v1/auth/refresh', { body: { refreshToken } });
  return {
    call,
    login,
    refresh,
    async add(role: Role = 'NORMAL'): Promise<User> {
      const body = { email: `${randomUUID()}@example.com`, password: samplePassword, displayName: 'Somebody', role };
      const answer = await call<{ user: User }>('POST', '/v1/admin/users', { headers: adminHeader, body });
      expect(answer.status).toBe(201);
      return answer.body.user;
    },
    async signIn(email: string, password = samplePassword): Promise<SignedIn> {
      const answer = await login(email, password);
      expect(answer.status).toBe(200);
      return answer.body;
    },
    change: ({ accessToken }: SignedIn, currentPassword = samplePassword, to = newPassword) =>
      call('POST', '/v1/me/password', { ...bearer(accessToken), body: { currentPassword, newPassword: to } }),
    setPassword: (id: string, password = newPassword) =>
      call('PUT', `/v1/admin/users/${id}/password`, { headers: adminHeader, body: { password } }),
    close: (id: string) => call('DELETE', `/v1/admin/users/${id}`, { headers: adminHeader }),
    /** Neither of its tokens is worth anything. */
    async expectEnded({ accessToken, refreshToken }: SignedIn): Promise<void> {
      expect((await call('GET', '/v1/me', bearer(accessToken))).status).toBe(401);
      expect(await refresh(refreshToken)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    },
  };
}

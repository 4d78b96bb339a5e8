import { randomUUID } from 'node:crypto';
import { roles } from '../../src/domain/user.ts';
import { samplePassword } from '../support/api.ts';
import { adminHeader, type Engine } from '../support/engine.ts';

/** Who may send a request. The last four are nobody, though they say otherwise. */
export const callers = [...roles, 'other NORMAL', 'admin', 'nobody', 'signed out', 'wrong admin', 'forged'] as const;
export type Caller = (typeof callers)[number];

export interface Accounts {
  headersOf(caller: Caller): Record<string, string>;
  /** Of accounts that nobody of the callers is. */
  strangers: string[];
  /** Refresh tokens of sessions that nobody of the callers has. */
  sessions: string[];
  /** Puts others in their place: their accounts may be closed by now, and their sessions ended. */
  renewStrangers(): Promise<void>;
}

interface Session {
  accessToken: string;
  refreshToken: string;
  user: { id: string };
}

/** Accounts of the fuzz alone, made as people make theirs. */
export async function openAccounts({ api }: Engine): Promise<Accounts> {
  const add = async (role: string): Promise<Session> => {
    const account = { email: `${randomUUID()}@fuzz.test`, password: samplePassword, displayName: role };
    const added = await api.call('POST', '/v1/admin/users', { headers: adminHeader, body: { ...account, role } });
    if (added.status !== 201) throw new Error(`no account: ${added.status}`);
    const { email, password } = account;
    return (await api.call<Session>('POST', '/v1/auth/login', { body: { email, password } })).body;
  };
  const [normal, vip, manager, bot, other, gone] = await Promise.all([...roles, 'NORMAL', 'MANAGER'].map(add));
  const tokens = { NORMAL: normal, VIP: vip, MANAGER: manager, BOT: bot, 'other NORMAL': other, 'signed out': gone };
  await api.call('POST', '/v1/auth/logout', { body: { refreshToken: gone?.refreshToken } });
  const [head, body] = (manager?.accessToken ?? '').split('.');
  const accounts: Accounts = {
    headersOf(caller) {
      if (caller === 'nobody') return {};
      if (caller === 'admin') return adminHeader;
      if (caller === 'wrong admin') return { authorization: `Basic ${btoa('admin:wrong')}` };
      if (caller === 'forged') return { authorization: `Bearer ${head}.${body}.${'A'.repeat(43)}` };
      return { authorization: `Bearer ${tokens[caller]?.accessToken}` };
    },
    strangers: [],
    sessions: [],
    async renewStrangers() {
      const added = await Promise.all(['NORMAL', 'VIP', 'BOT'].map(add));
      accounts.strangers = added.map(({ user }) => user.id);
      accounts.sessions = added.map(({ refreshToken }) => refreshToken);
    },
  };
  await accounts.renewStrangers();
  return accounts;
}

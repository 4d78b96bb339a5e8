import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manager, samplePassword } from './support/api.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { type HeldChanges, holdChanges } from './support/held-changes.ts';
import { createPeople, newPassword } from './support/people.ts';

/** Two requests about one account at the same moment, in the order that is worst. */
describe('an account that is changed while it is used', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine('postgres', { roles: [] });
  });
  afterAll(() => engine.close());
  const { call, add, login, signIn, refresh, change, setPassword, close, expectEnded } = createPeople(() => engine.api);

  /** `first` is stopped at a change; `second` comes meanwhile, and when it is done or waits for the first, both go on. */
  const race = async <First, Second>(
    where: Parameters<typeof holdChanges>[1],
    first: () => Promise<First>,
    second: () => Promise<Second>,
  ): Promise<[First, Second]> => {
    const held: HeldChanges = await holdChanges(engine.database, where);
    const begun = first();
    await held.untilWaiting(1);
    const next = second();
    await Promise.race([next, held.untilWaiting(2)]);
    await held.letGo();
    return Promise.all([begun, next]);
  };

  it.each(['changes', 'sets', 'closes'] as const)(
    'ends a session that somebody begins by the former password while another %s it',
    async (what) => {
      const { id, email } = await add();
      const own = await signIn(email);
      const end = { changes: () => change(own), sets: () => setPassword(id), closes: () => close(id) }[what];
      const [signedIn, ended] = await race({ table: 'sessions', event: 'INSERT' }, () => login(email), end);
      expect([signedIn.status, ended.status]).toEqual([200, 204]);
      await expectEnded(signedIn.body);
    },
  );

  it.each(['sets', 'closes'] as const)(
    'begins no session for a password that was right until another %s it',
    async (what) => {
      const { id, email } = await add();
      const isRight = { table: 'sign_in_failures', event: 'UPDATE', when: 'NEW.count < OLD.count' } as const;
      const end = what === 'sets' ? () => setPassword(id) : () => close(id);
      const [signedIn, ended] = await race(isRight, () => login(email), end);
      expect([signedIn.status, ended.status]).toEqual([401, 204]);
      expect(signedIn.body.code).toBe('credentials_invalid');
      expect(await engine.database.query('SELECT FROM sessions WHERE user_id = $1', [id])).toEqual([]);
    },
  );

  it.each(['changes', 'sets', 'closes'] as const)(
    'ends a session that is refreshed while somebody %s the password or account, whoever comes first',
    async (what) => {
      const { id, email } = await add();
      const [own, first, second] = [await signIn(email), await signIn(email), await signIn(email)];
      const end = { changes: () => change(own), sets: () => setPassword(id), closes: () => close(id) }[what];
      const [refreshed, ended] = await race(
        { table: 'refresh_tokens', event: 'INSERT' },
        () => refresh(first.refreshToken),
        end,
      );
      expect([refreshed.status, ended.status]).toEqual([200, 204]);
      await expectEnded(refreshed.body);
      await expectEnded(second);
    },
  );

  it.each(['changes', 'sets', 'closes'] as const)(
    'refuses a refresh that comes while somebody %s the password or account',
    async (what) => {
      const { id, email } = await add();
      const [own, other] = [await signIn(email), await signIn(email)];
      const end = { changes: () => change(own), sets: () => setPassword(id), closes: () => close(id) }[what];
      const [ended, refreshed] = await race({ table: 'audit_events', event: 'INSERT' }, end, () =>
        refresh(other.refreshToken),
      );
      expect([ended.status, refreshed.status]).toEqual([204, 401]);
      await expectEnded(other);
    },
  );

  it('changes a password once when two change it at the same moment', async () => {
    const { email } = await add();
    const [own, thief] = [await signIn(email), await signIn(email)];
    const changes = await race(
      { table: 'users', event: 'UPDATE' },
      () => change(own),
      () => change(thief, samplePassword, 'the sentence of a thief'),
    );
    expect(changes.map(({ status }) => status)).toEqual([204, 403]);
    await expectEnded(thief);
    await signIn(email, newPassword);
    expect((await refresh(own.refreshToken)).status).toBe(200);
  });

  it('never closes the last manager, also when two close each other’s account at once', async () => {
    const one = await add('MANAGER');
    const { body: boss } = await call<{ user: { id: string } }>('GET', '/v1/me', { as: manager });
    const closings = await race(
      { table: 'audit_events', event: 'INSERT' },
      () => close(one.id),
      () => close(boss.user.id),
    );
    expect(closings.map(({ status }) => status)).toEqual([204, 409]);
    expect(closings[1].body.code).toBe('last_manager');
    expect((await call('PATCH', `/v1/users/${boss.user.id}`, { as: manager, body: { role: 'NORMAL' } })).status).toBe(
      409,
    );
  });
});

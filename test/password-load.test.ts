import { afterAll, beforeAll, expect, it } from 'vitest';
import { normal, type Problem, samplePassword } from './support/api.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

const signIns = 300;

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [], env: { TRUST_PROXY: 'loopback' } });
});
afterAll(() => engine.close());

const signIn = (email: string, password: string, address: string) =>
  engine.api.call<Problem>('POST', '/v1/auth/login', {
    headers: { 'x-forwarded-for': address },
    body: { email, password },
  });

async function msOf(path: string): Promise<number> {
  const asked = performance.now();
  expect((await engine.api.call('GET', path)).status).toBe(200);
  return performance.now() - asked;
}

it(`keeps ${signIns} sign-ins at once from the files and the board, refuses some, and takes all afterwards`, async () => {
  let underWay = signIns;
  const burst = Array.from({ length: signIns }, async (_, index) => {
    const answer = await signIn(`nobody${index}@example.com`, 'a guess', `198.18.${index >> 8}.${index & 255}`);
    underWay--;
    return answer;
  });
  await Promise.race(burst);
  const asked: number[] = [];
  for (const path of ['/assets/board.css', '/v1/board', '/assets/board.css']) {
    expect(underWay, `sign-ins under way at ${path}`).toBeGreaterThan(0);
    asked.push(await msOf(path));
  }
  console.log(`beside ${signIns} sign-ins: ${asked.map((ms) => `${Math.round(ms)} ms`).join(', ')}`);
  expect(Math.max(...asked)).toBeLessThan(3_000);

  const answers = await Promise.all(burst);
  const refused = answers.filter(({ status }) => status === 503);
  expect(refused.length).toBeGreaterThan(0);
  for (const { headers, body } of refused) {
    expect(body.code).toBe('service_unavailable');
    expect(headers.get('retry-after')).toBe('2');
  }
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(signIns - refused.length);

  await until('nobody waits any more', async () => (await signIn(normal, samplePassword, '198.19.0.1')).status === 200);
  const again = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const account = { email: `somebody${index}@example.com`, password: samplePassword, displayName: 'Ada' };
      expect((await engine.api.call('POST', '/v1/auth/register', { body: account })).status).toBe(201);
      return signIn(account.email, account.password, `198.19.1.${index}`);
    }),
  );
  expect(again.map(({ status }) => status)).toEqual(Array(20).fill(200));
});

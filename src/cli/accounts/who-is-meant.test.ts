import { expect, it } from 'vitest';
import { keepInMemory, type Session } from './session-file.ts';
import { whoIsMeant } from './who-is-meant.ts';

const local = new URL('http://127.0.0.1:3000');
const shop = new URL('https://shop.example/somewhere');
const sample = 'normal@twolane.test';

async function storeOf(...sessions: Pick<Session, 'server' | 'email' | 'isAutomatic'>[]) {
  const store = keepInMemory();
  await store.change(() =>
    sessions.map((session) => ({ ...session, accessToken: '', refreshToken: session.email, renewAtMs: 0 })),
  );
  return store;
}
const at = (url: URL, email: string, isAutomatic = false) => ({ server: url.origin, email, isAutomatic });

it('assumes the sample account on this machine, and nobody anywhere else', async () => {
  const store = await storeOf(at(local, 'vip@twolane.test', true));
  expect(await whoIsMeant(store, local, sample)).toBe(sample);
  await expect(whoIsMeant(store, shop, sample)).rejects.toMatchObject({
    exitCode: 2,
    message: 'nobody is signed in at https://shop.example',
    hints: [expect.stringContaining('twolane login')],
  });
  await expect(whoIsMeant(store, local)).rejects.toThrow(/nobody is signed in/);
});

it('means the only account that was signed in by hand, at that server', async () => {
  const store = await storeOf(at(shop, 'mara@shop.example'), at(local, 'nora@shop.example'), at(local, sample, true));
  expect(await whoIsMeant(store, shop, sample)).toBe('mara@shop.example');
  expect(await whoIsMeant(store, local, sample)).toBe('nora@shop.example');
});

it('asks which one, where there are several', async () => {
  const store = await storeOf(at(shop, 'mara@shop.example'), at(shop, 'nora@shop.example'));
  await expect(whoIsMeant(store, shop, sample)).rejects.toMatchObject({
    exitCode: 2,
    hints: ['--as mara@shop.example', '--as nora@shop.example', expect.stringContaining('logout')],
  });
});

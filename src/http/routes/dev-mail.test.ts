import Fastify from 'fastify';
import { expect, it } from 'vitest';
import { devMailRoutes } from './dev-mail.ts';

const devMailUrl = 'http://127.0.0.1:4243/dev/mail';

async function ask(env: 'production' | 'development', url: string | null) {
  const app = Fastify();
  await devMailRoutes(app, { config: { env, mail: { devMailUrl: url } } });
  return app.inject('/dev/mail');
}

it('leads to the mails of a demo', async () => {
  const { statusCode, headers } = await ask('development', devMailUrl);
  expect({ statusCode, location: headers.location }).toEqual({ statusCode: 302, location: devMailUrl });
});

it('is not there where no mail is caught', async () => {
  expect((await ask('development', null)).statusCode).toBe(404);
});

it('is never there in production', async () => {
  expect((await ask('production', devMailUrl)).statusCode).toBe(404);
});

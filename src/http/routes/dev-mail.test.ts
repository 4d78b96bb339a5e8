import Fastify from 'fastify';
import { expect, it } from 'vitest';
import type { SmtpSettings } from '../../config-mail.ts';
import { devMailRoutes } from './dev-mail.ts';

const devMailUrl = 'http://127.0.0.1:4243/dev/mail';
const smtp: SmtpSettings = {
  host: 'mail.shop.example',
  port: 587,
  login: null,
  from: 'orders@shop.example',
  replyTo: null,
  security: 'starttls',
  timeoutMs: 1_000,
  connections: 1,
  perSecond: 0,
  dkim: null,
};

async function ask(env: 'production' | 'development', url: string | null, smtp: SmtpSettings | null = null) {
  const app = Fastify();
  await devMailRoutes(app, { config: { env, mail: { devMailUrl: url, smtp } } });
  return app.inject('/dev/mail');
}

it('leads to the mails of a demo', async () => {
  const { statusCode, headers } = await ask('development', devMailUrl);
  expect({ statusCode, location: headers.location }).toEqual({ statusCode: 302, location: devMailUrl });
});

it('says where mails go when none is caught', async () => {
  const { statusCode, body } = await ask('development', null, smtp);
  expect([statusCode, body]).toEqual([200, 'Mails go out by mail.shop.example; nothing is caught here.\n']);
  expect((await ask('development', null)).body).toBe('No mails are sent: SMTP_HOST is not set.\n');
});

it('is never there in production', async () => {
  expect((await ask('production', devMailUrl)).statusCode).toBe(404);
  expect((await ask('production', null, smtp)).statusCode).toBe(404);
});

/** The same route without any storage: what Node, Fastify, zod and the token leave to be had. */
import { serveBench } from '../lab/serve-bench.ts';
import { startOrderApp } from './order-app.ts';

const { DATABASE_URL = '', JWT_SECRET = '' } = process.env;
let number = 1_000;
const app = await startOrderApp(DATABASE_URL, JWT_SECRET, async () => {
  number += 1;
  return { number, placedAt: Date.now() };
});

serveBench({ ready: { url: app.url }, close: () => app.close() });

/** The web process as it is, but for sign-in: whoever sends a token is believed to be whom it names, unread. */
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startWeb } from '../../src/server.ts';
import { serveBench } from '../lab/serve-bench.ts';
import { readCustomers } from './bearer.ts';

const config = readConfig(process.env);
const customers = [...(await readCustomers(config.databaseUrl)).values()];
let next = 0;
const web = await startWeb(config, createLog(config.logLevel, 'web'), {
  tokens: { sign: () => '', verify: () => ({ userId: '', sessionId: '' }), lifetimeSeconds: 1 },
  sessions: {
    find: () => customers[next++ % customers.length] ?? null,
    forget: async () => {},
  },
});

serveBench({ ready: { url: web.url }, close: () => web.close() });

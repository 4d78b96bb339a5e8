/** The web process as it is, with a sign-in that verifies bearer tokens. */
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startWeb } from '../../src/server.ts';
import { serveBench } from '../lab/serve-bench.ts';
import { createBearerAuthenticate } from './bearer.ts';

const config = readConfig(process.env);
const authenticate = createBearerAuthenticate(config.jwtSecret ?? '');
const web = await startWeb(config, createLog(config.logLevel, 'web'), { authenticate });

serveBench({ ready: { url: web.url }, close: () => web.close() });

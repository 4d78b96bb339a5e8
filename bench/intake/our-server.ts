/** The web process as it is. */
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startWeb } from '../../src/server.ts';
import { serveBench } from '../lab/serve-bench.ts';

const config = readConfig(process.env);
const web = await startWeb(config, createLog(config.logLevel, 'web'));

serveBench({ ready: { url: web.url }, close: () => web.close() });

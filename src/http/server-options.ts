import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Config } from '../config.ts';

/** No load balancer makes longer ones, and a log line stays a log line. */
const saneRequestId = /^[\w.:+/=-]{1,64}$/;

/** What the server bears with: sizes and times that a client at a bad connection never meets, and one with bad intent does. */
export function serverOptions({ trustProxy }: Pick<Config, 'trustProxy'>) {
  return {
    bodyLimit: 256 * 1024,
    routerOptions: { maxParamLength: 100 },
    http: {
      maxHeaderSize: 16 * 1024, // the request line counts too
      headersTimeout: 10_000, // whoever sends a header a second holds a connection no longer than this
      connectionsCheckingInterval: 2_000, // how often the two times are looked at; Node's own 30 s would make them 40
      requireHostHeader: false, // checked by request-form.ts, which answers with a problem
    },
    requestTimeout: 20_000, // headers and body, to the last byte
    connectionTimeout: 0, // its timer is set anew at each read and write, which costs an order 8 %; the other times bound all but a stream
    keepAliveTimeout: 65_000, // longer than a load balancer's, so that it never sends into a connection that just ended
    forceCloseConnections: true as const,
    genReqId: requestIdOf,
    trustProxy: trustOf(trustProxy),
  };
}

/** All that may be connected at once, viewers of the board included: further ones find another process, and this one its files. */
export const maxConnections = 20_000;

function requestIdOf({ headers }: { headers: IncomingMessage['headers'] }): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && saneRequestId.test(given) ? given : randomUUID();
}

/** Fastify believes nobody by a number alone, because whoever gets past the proxies could count as one: so TRUST_PROXY says it. */
function trustOf(trusted: Config['trustProxy']) {
  return typeof trusted === 'number' ? (_address: string, hop: number) => hop < trusted : trusted;
}

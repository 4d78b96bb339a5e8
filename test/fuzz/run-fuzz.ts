import fc from 'fast-check';
import { Contract, type Route } from '../support/contract.ts';
import type { Engine } from '../support/engine.ts';
import { judge } from './judge.ts';
import { type FuzzRequest, requestsTo } from './requests.ts';
import { setScene } from './scene.ts';
import { curlText, send, writeRequest } from './send.ts';
import { changesBetween, readStored } from './stored.ts';
import { sweepOf } from './sweep.ts';

/** How often a request that failed is made smaller: it may be far from small then, and the run ends all the same. */
const maxShrinks = 300;

export interface FuzzReport {
  requests: number;
  routes: number;
  /** `2xx 120, 4xx 240` */
  statuses: string;
  /** Each with the smallest request that has it, as curl. */
  faults: string[];
  /** Operations that never did what they are for: behind a door that nobody gets through, nothing is found. */
  neverServed: string[];
}

/**
 * Sends requests of every kind to every route, one after the other, and judges each answer and what it left in the database. Each
 * route has its turn several times, so that one finds what another has left.
 */
export async function runFuzz(engine: Engine, options: { seed: number; requestCount: number }): Promise<FuzzReport> {
  const contract = await Contract.read(engine.web.url);
  const scene = await setScene(engine);
  const statuses = new Map<string, number>();
  const served = new Set<string>();
  const faults: string[] = [];
  let requests = 0;
  let stored = await readStored(engine.database);

  /** Null, or what is wrong and how to see it. */
  const ask = async (request: FuzzRequest): Promise<string | null> => {
    const sent = writeRequest(request, scene);
    const address = `10.0.${Math.floor(requests / 250) % 250}.${requests % 250}`; // wrong passwords of one do not slow down others
    requests++;
    const headers = { ...sent.headers, 'x-forwarded-for': address };
    const answer = await send(engine.web.url, { ...sent, headers });
    const group = `${Math.floor(answer.status / 100)}xx`;
    statuses.set(group, (statuses.get(group) ?? 0) + 1);
    const { route } = request;
    if (answer.status < 300 && sent.method === route.method) served.add(route.operation.operationId);

    const found = judge(contract, scene, request, sent, answer);
    const before = stored;
    stored = await readStored(engine.database);
    const isReading = sent.method === 'GET' || sent.method === 'HEAD';
    if ((isReading || answer.status >= 400) && !mayChange(answer.text))
      found.push(...changesBetween(before, stored).map((table) => `${answer.status} changed ${table}`));
    if (found.length === 0) return null;
    return [
      ...found,
      `as ${request.caller}: ${curlText(engine.web.url, sent)}`,
      `${answer.status} ${answer.text.slice(0, 300)}`,
    ].join('\n');
  };

  const fuzzRoute = async (route: Route, seed: number, numRuns: number, first: FuzzRequest[]) => {
    await scene.prepare(route.operation.operationId);
    stored = await readStored(engine.database);
    let shrinks = 0;
    let hasFailed = false;
    const holds = fc.asyncProperty(requestsTo(contract, route), async (request) => {
      if (hasFailed && ++shrinks > maxShrinks) return;
      const fault = await ask(request);
      if (fault === null) return;
      hasFailed = true;
      throw new Error(fault);
    });
    const { failed, errorInstance } = await fc.check(holds, {
      seed,
      numRuns: numRuns + first.length,
      examples: first.map((request) => [request]),
    });
    if (failed) faults.push(`${route.method} ${route.path}: ${(errorInstance as Error | null)?.message}`);
  };

  const rounds = Math.max(2, Math.round(options.requestCount / 1_000));
  const numRuns = Math.ceil(options.requestCount / rounds / contract.routes.length);
  for (let round = 0; round < rounds; round++)
    for (const route of contract.routes) {
      const first = round === 0 ? sweepOf(contract, route, options.seed) : [];
      await fuzzRoute(route, options.seed + round, numRuns, first);
    }

  return {
    requests,
    routes: contract.routes.length,
    statuses: [...statuses]
      .sort()
      .map(([group, count]) => `${group} ${count}`)
      .join(', '),
    faults,
    neverServed: contract.routes
      .map(({ operation }) => operation)
      .filter(({ operationId, responses }) => hasSuccess(responses) && !served.has(operationId))
      .map(({ operationId }) => operationId),
  };
}

/** What a refusal may change all the same: a refresh token that comes back late ends its session. */
const mayChange = (text: string) => text.includes('"refresh_token_reused"');

const hasSuccess = (responses: object) => Object.keys(responses).some((status) => status < '300');

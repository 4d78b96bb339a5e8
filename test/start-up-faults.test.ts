import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startProcess } from './support/engine-process.ts';

const started: EngineProcess[] = [];
afterEach(() => killAll(started.splice(0)));

function run(program: string[], environment: Record<string, string>): EngineProcess {
  const one = startProcess(program, environment);
  started.push(one);
  return one;
}

const programs = ['src/server.ts', 'workers/main.ts bots', 'workers/main.ts relay', 'scripts/migrate.ts'];

it.each(programs)('%s says in one line that its database cannot be reached', async (program) => {
  const one = run(program.split(' '), {
    ENV: 'development',
    PORT: '0',
    DATABASE_URL: 'postgres://shop:hunter2@127.0.0.1:1/till',
    JWT_SECRET: 'x'.repeat(32),
  });
  expect(await one.ended).toEqual({ code: 1, signal: null });
  expect(one.lines).toEqual([
    expect.stringMatching(/^The database of DATABASE_URL .*postgres:\/\/shop@127\.0\.0\.1:1\/till, .*ECONNREFUSED/),
  ]);
});

/** A port where nobody listens yet. */
async function reservePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a process whose Redis is away at the start', () => {
  it.each(programs.slice(0, 3))('%s says so, and when it has come', async (program) => {
    const engine = await startEngine('redis', { roles: [] });
    const port = await reservePort();
    const redis = new URL(engine.environment.REDIS_URL ?? '');
    const sockets = new Set<{ destroy(): void }>();
    const gate = createServer((socket) => {
      const onwards = connect(Number(redis.port), redis.hostname);
      for (const end of [socket, onwards]) {
        sockets.add(end);
        end.on('error', () => {});
      }
      socket.pipe(onwards).pipe(socket);
    });
    try {
      const one = run(program.split(' '), {
        ...engine.environment,
        LOG_LEVEL: 'info',
        REDIS_URL: `redis://:hunter2@127.0.0.1:${port}/0`,
      });
      const warning = JSON.parse(await one.untilLine(/queue store not reached/)) as object;
      expect(warning).toMatchObject({
        level: 'warn',
        redis: `127.0.0.1:${port}/0`,
        reason: expect.stringContaining('ECONNREFUSED'),
        msg: 'queue store not reached, waiting for it; check REDIS_URL',
      });
      gate.listen(port, '127.0.0.1');
      await one.untilLine(/"queue store reached"/);
      await one.untilLine(/web listening|workers started/); // from then on it heeds signals
      one.signal('SIGTERM');
      expect(await one.ended).toEqual({ code: 0, signal: null });
      expect(one.lines.join('\n')).not.toContain('hunter2');
    } finally {
      await killAll(started.splice(0));
      for (const socket of sockets) socket.destroy();
      gate.close();
      await engine.close();
    }
  });

  it('says nothing where all is well', async () => {
    const engine = await startEngine('redis', { roles: [] });
    const one = run(['workers/main.ts', 'relay'], { ...engine.environment, LOG_LEVEL: 'info' });
    await one.untilLine(/workers started/);
    one.signal('SIGTERM');
    await one.ended;
    expect(one.lines.join('\n')).not.toMatch(/queue store (not )?reached/);
    await engine.close();
  });
});

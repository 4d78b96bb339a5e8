import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { endWithUs } from './end-with-us.ts';
import { findFreePort } from './free-port.ts';
import { findRedisProgram } from './redis-program.ts';

export type PrivateRedisOptions = {
  log?: (line: string) => void;
  port?: number;
  /** As in redis.conf, over the defaults: nothing is written to disk, nothing is evicted. */
  options?: Record<string, string>;
};

export type PrivateRedis = {
  url: string;
  port: number;
  /** Changes with a restart. */
  readonly pid: number;
  stop(): Promise<void>;
  /** On the same port and folder. With `SIGKILL` it gets no chance to write anything. */
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
};

/** A Redis of our own on a free port of loopback; it ends with this process, even if that is killed. */
export async function startPrivateRedis({
  log = () => {},
  port: wanted,
  options = {},
}: PrivateRedisOptions = {}): Promise<PrivateRedis> {
  const program = await findRedisProgram(log);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-redis-'));
  const port = await findFreePort(wanted);
  const settings = { dir: folder, save: '', appendonly: 'no', 'maxmemory-policy': 'noeviction', ...options };
  const start = () => startServer(program.command, program.arguments(port, settings), folder);
  const stop = async ({ child, callOff }: Server, signal: 'SIGTERM' | 'SIGKILL') => {
    callOff();
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.ref(); // or the process could end while it waits
    if (signal === 'SIGKILL') program.kill(child.pid ?? 0);
    else child.kill(signal);
    await exit;
  };

  let server = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.child.pid ?? 0;
    },
    stop: async () => {
      await stop(server, 'SIGTERM');
      program.remove();
      rmSync(folder, { recursive: true, force: true });
    },
    restart: async (signal = 'SIGTERM') => {
      await stop(server, signal);
      server = await start();
    },
  };
}

type Server = { child: ChildProcess; callOff: () => void };

async function startServer(command: string, args: string[], folder: string): Promise<Server> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  if (child.pid === undefined)
    throw new Error(`${command} could not be started`, { cause: (await once(child, 'error'))[0] });
  const callOff = endWithUs(child.pid, 'TERM', folder);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line);
      if (/Ready to accept connections/.test(line)) child.emit('ready');
      if (said.length > 20) said.shift();
    });
  }
  const failed = once(child, 'exit').then(([code]) => {
    callOff();
    throw new Error(`${command} ended with ${code}:\n${said.join('\n')}`);
  });
  await Promise.race([once(child, 'ready'), failed]);
  failed.catch(() => {}); // its end is no surprise from here on
  child.unref();
  for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
  return { child, callOff };
}

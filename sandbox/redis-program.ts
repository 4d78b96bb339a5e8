import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { canInstallDebianPackages, ensureDebianPackage } from './debian-package.ts';
import { findOnPath } from './find-on-path.ts';

/** A Redis in the foreground, on a port of 127.0.0.1. */
export type RedisProgram = {
  command: string;
  /** `options` are those of redis.conf. */
  arguments(port: number, options: Record<string, string>): string[];
  kill(pid: number): void;
  /** What is left of it after its end. */
  remove(): void;
};

const dockerImage = 'redis:8-alpine';
const names = ['redis-server', 'valkey-server'];

const asArguments = (options: Record<string, string>) =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);

function local(command: string): RedisProgram {
  return {
    command,
    arguments: (port, options) => asArguments({ port: String(port), bind: '127.0.0.1', ...options }),
    kill: (pid) => process.kill(pid, 'SIGKILL'),
    remove: () => {},
  };
}

/** Its process is only Docker's client: a SIGTERM is passed on to the server, a SIGKILL would not be. */
function inDocker(): RedisProgram {
  const name = `twolane-redis-${randomUUID().slice(0, 8)}`;
  const docker = (...args: string[]) => spawnSync('docker', args, { stdio: 'ignore' });
  let exists = false;
  return {
    command: 'docker',
    arguments: (port, { dir: _, ...options }) => {
      if (exists) return ['start', '--attach', name]; // with the files and the arguments that it had
      exists = true;
      const run = ['run', '--name', name, '--publish', `127.0.0.1:${port}:6379`, dockerImage, 'redis-server'];
      return [...run, ...asArguments({ ...options, 'protected-mode': 'no' })]; // Docker's network is not loopback
    },
    kill: () => docker('kill', name),
    remove: () => docker('rm', '--force', '--volumes', name),
  };
}

function isDockerRunning(): boolean {
  return spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 }).status === 0;
}

/** On PATH, else in Docker, else Debian's package, which is installed then. */
export async function findRedisProgram(log: (line: string) => void): Promise<RedisProgram> {
  const onPath = names.map(findOnPath).find((file) => file !== undefined);
  if (onPath) return local(onPath);
  if (isDockerRunning()) {
    log(`no redis-server on PATH, using Docker (${dockerImage})`);
    return inDocker();
  }
  if (canInstallDebianPackages()) return local(await ensureDebianPackage('redis-server', 'redis-server', log));
  throw new Error(
    'no Redis found: install redis-server or valkey-server (Debian: apt-get install redis-server; macOS: brew install ' +
      'redis), start Docker, or set TEST_REDIS_URL to an empty instance on this machine',
  );
}

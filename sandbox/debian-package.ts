import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { findOnPath } from './find-on-path.ts';

const isRoot = () => process.getuid?.() === 0;
const canSudo = () => spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;

export function canInstallDebianPackages(): boolean {
  return findOnPath('apt-get') !== undefined && (isRoot() || canSudo());
}

// A package with a service would start it, on its usual port and at every boot: policy-rc.d, Debian's own switch, says no
// while we install. A policy that is there already stays as it is.
const script = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM HUP
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends "$0" || { apt-get update && apt-get install -y --no-install-recommends "$0"; }
`;

/** The path of the program; its Debian or Ubuntu package is installed, and that is said, when it is not there yet. */
export async function ensureDebianPackage(
  packageName: string,
  program: string,
  log: (line: string) => void = console.error,
): Promise<string> {
  const present = findOnPath(program);
  if (present) return present;
  if (!canInstallDebianPackages()) {
    throw new Error(`${program} is missing: install it (Debian and Ubuntu: apt-get install ${packageName})`);
  }
  log(`${program} is missing: installing the package ${packageName} with apt-get`);
  const command = isRoot() ? ['sh'] : ['sudo', '-n', 'sh'];
  const [first = 'sh', ...rest] = [...command, '-c', script, packageName];
  const install = spawn(first, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [install.stdout, install.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
  }
  const [code] = await once(install, 'close');
  const installed = findOnPath(program);
  if (code === 0 && installed) return installed;
  throw new Error(`apt-get install ${packageName} failed:\n${said.join('').trim().split('\n').slice(-5).join('\n')}`);
}

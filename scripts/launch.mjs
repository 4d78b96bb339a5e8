// Plain JavaScript for Node ≥ 18: everything else in this project needs the Node ≥ 24 that this file looks for.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const binFolder = path.join(root, 'node_modules', '.bin');
const wantedMajor = 24;

/** Compares what npm wrote down in node_modules with the lockfile: an interrupted install has no such file. */
function needsInstall({ withTools }) {
  const readPackages = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8')).packages;
  if (!existsSync(path.join(root, 'node_modules', '.package-lock.json'))) return true;
  const installed = readPackages('node_modules/.package-lock.json');
  return Object.entries(readPackages('package-lock.json')).some(([folder, locked]) => {
    if (folder === '') return false;
    if (installed[folder]) return installed[folder].version !== locked.version;
    const mayBeAbsent = locked.optional || locked.devOptional || locked.peer || (locked.dev && !withTools);
    return !mayBeAbsent;
  });
}

function install() {
  console.error('twolane: installing dependencies (npm ci), once');
  const { NODE_ENV: _, ...env } = process.env; // NODE_ENV=production would leave the tools out
  // npm's words go to stderr: stdout belongs to the command that was asked for
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32', // npm is a .cmd there
  });
  if (error) console.error(`twolane: npm could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function majorOf(node) {
  const { stdout, status } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return status === 0 ? Number.parseInt(stdout.slice(1), 10) : 0;
}

function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= wantedMajor) return process.execPath;
  const packaged = path.join(binFolder, process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(packaged) && majorOf(packaged) >= wantedMajor) return packaged;
  const hint =
    process.platform === 'darwin' ? 'npm has no Node 24 package for macOS: install it' : 'install it, or run `npm ci`';
  console.error(
    `twolane needs Node ${wantedMajor} or newer, this is ${process.version}; ${hint} (https://nodejs.org).`,
  );
  process.exit(1);
}

/** `npm run` passes a signal to the shell between us alone, which dies of it and tells nobody: we would go on without anyone. */
function stopWithNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    child.kill('SIGTERM');
  }, 100);
}

/**
 * Runs the target with the arguments, the terminal and the signals of this process, and ends as it ends.
 * `withTools: false` is for the command of an installed server, which has no development packages.
 */
export async function launch(target, args, { withTools }) {
  if (needsInstall({ withTools })) install();
  const child = spawn(findNode(), [target, ...args], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${binFolder}${path.delimiter}${process.env.PATH ?? ''}` },
  });
  // Ctrl-C at a terminal reaches the child too, as a member of the same process group: it must not get it twice.
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => !atTerminal && child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  stopWithNpm(child);
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...outcome) => resolve(outcome));
  });
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal); // die of the same signal, so that the shell sees the truth
}

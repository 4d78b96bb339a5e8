/**
 * `npm start`: all of twolane on this machine.
 * 1. the environment has no fault, the port is free, and no other demo runs from this checkout;
 * 2. a private Postgres under .data/, unless the environment names a database, and stand-ins for Stripe and PayPal, unless it has keys,
 *    and a catcher of mails, unless it names a mail server;
 * 3. the Procfile's release line, then the samples into a database that is new;
 * 4. every other line of the Procfile as a process, kept running;
 * 5. ready when /readyz says so and every process is up; at Ctrl-C the processes end first, then the stand-ins, Postgres last.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isPortFree } from '../sandbox/free-port.ts';
import type { PrivatePostgres } from '../sandbox/private-postgres.ts';
import { demoBanner } from './start/banner.ts';
import { type DemoEnvironment, readDemoEnvironment } from './start/environment.ts';
import { planMailSandbox } from './start/mail-sandbox.ts';
import { createOutput } from './start/output.ts';
import { paymentKeysText, planPaymentSandbox, type SandboxPlan } from './start/payment-sandbox.ts';
import { openPrivateDatabase, startDemoPostgres } from './start/private-database.ts';
import { readProcfile } from './start/procfile.ts';
import { findRunningDemo, removeRunFile, writeRunFile } from './start/run-file.ts';
import { type ProcessContext, runToEnd, SupervisedProcess } from './start/supervised-process.ts';

const usage = `npm start: runs all of twolane on this machine, with a private Postgres and sample data under .data/

  PORT=3001 npm start             another port than 3000
  BOT_PROCESSING_MS=2000 npm start  bots that need 2 s an order instead of 10
  DATABASE_URL=… npm start        your own database: migrated, no samples
  REDIS_URL=… npm start           queues on Redis instead of Postgres
  STRIPE_SECRET_KEY=… STRIPE_WEBHOOK_SECRET=… npm start
                                  your own Stripe, or PayPal, instead of the sandbox where no money moves
  SMTP_HOST=… SMTP_FROM=… npm start mails that go out, instead of being caught and shown at /dev/mail

A file .env is read too (see .env.example). Ctrl-C stops everything; the data stay. Remove .data/ to start afresh.`;

if (process.argv.length > 2) {
  const isHelp = ['--help', '-h'].includes(process.argv[2] ?? '');
  console.log(isHelp ? usage : `npm start takes no arguments\n\n${usage}`);
  process.exit(isHelp ? 0 : 2);
}

const stopGraceMs = 8_000; // a bot host gives its orders back and exits within 5 s
const samePressMs = 500; // npm and the terminal both pass a Ctrl-C on

const root = path.dirname(import.meta.dirname);
const dataFolder = path.join(root, '.data');
const lines = readProcfile(path.join(root, 'Procfile'));
const output = createOutput(process.stdout, [...lines.map(({ name }) => name), 'samples', 'sandbox', 'mail']);
const stopping = new AbortController();
const processes: SupervisedProcess[] = [];
const sandboxes: SupervisedProcess[] = [];
let postgres: Promise<PrivatePostgres> | undefined;
let stoppedAt = 0;
let hasRunFile = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => onSignal());
process.stdout.on('error', () => onSignal()); // nobody reads on, as with `npm start | head`

try {
  const demo = readDemoEnvironment(root, dataFolder);
  await refuseSecondStart(demo);
  await start(demo);
} catch (error) {
  if (!stopping.signal.aborted) await stopAll(1, error instanceof Error ? error.message : String(error));
}

async function refuseSecondStart({ host, port }: DemoEnvironment): Promise<void> {
  const running = findRunningDemo(dataFolder);
  if (running) throw new Error(`twolane is running from this folder already: ${running.url} (pid ${running.pid})`);
  if (!(await isPortFree(port, host))) {
    throw new Error(`port ${port} is in use. Stop what uses it, or take another one: PORT=${port + 1} npm start`);
  }
}

async function start(demo: DemoEnvironment): Promise<void> {
  const giveUp = (reason: string) => void stopAll(1, reason);
  const payments = await planPaymentSandbox(demo, dataFolder);
  const mail = await planMailSandbox(demo, dataFolder);
  if (!payments) output.say(`payments: ${paymentKeysText(demo)}`);
  if (!mail) output.say(`mails go out by ${demo.variables.SMTP_HOST}`);
  const plans = [payments, mail].filter((plan) => plan !== null);
  for (const { line, variables } of plans)
    sandboxes.push(new SupervisedProcess(line, { root, variables, output }, giveUp));
  if (!demo.hasOwnDatabase) postgres = startDemoPostgres(dataFolder, output);
  const database = postgres && (await openPrivateDatabase(await postgres));
  const variables = {
    ...demo.variables,
    ...payments?.settings,
    ...mail?.settings,
    ...(database && { DATABASE_URL: database.url }),
  };
  const context: ProcessContext = { root, variables, output };

  for (const line of lines.filter(({ name }) => name === 'release')) await runToEnd(line, context, stopping.signal);
  if (database?.needsSamples) {
    await runToEnd({ name: 'samples', command: 'node scripts/load-samples.ts' }, context, stopping.signal);
    await database.noteSamplesLoaded();
  }

  stopping.signal.throwIfAborted();
  for (const line of lines.filter(({ name }) => name !== 'release')) {
    processes.push(new SupervisedProcess(line, context, giveUp));
  }
  writeRunFile(dataFolder, { url: demo.url, databaseUrl: database?.url ?? null, pid: process.pid });
  hasRunFile = true;
  await waitUntilReady(demo, plans);
  const { message, fields, details } = demoBanner(demo, {
    dataDir: (await postgres)?.dataDir,
    sandboxUrl: payments?.url,
    isMailCaught: mail !== null,
  });
  output.announce(message, fields, details);
}

async function waitUntilReady({ url }: DemoEnvironment, plans: readonly SandboxPlan[]): Promise<void> {
  let complainAt = performance.now() + 15_000;
  for (;;) {
    const answer = await ask(`${url}/readyz`);
    const answers = await Promise.all(plans.map(({ url: place }) => ask(place)));
    stopping.signal.throwIfAborted();
    const isServing = answer instanceof Response && answer.ok;
    const down = processes.filter(({ isUp }) => !isUp).map(({ name }) => name);
    for (const [index, { line }] of plans.entries()) if (answers[index] instanceof Error) down.push(line.name);
    if (isServing && down.length === 0) return;
    if (performance.now() > complainAt) {
      const reason = answer instanceof Response ? await answer.text() : answer.message;
      output.complain(
        isServing ? `still not ready: ${down.join(', ')} cannot start` : `still not ready, ${url}/readyz: ${reason}`,
      );
      complainAt += 15_000;
    }
    await sleep(100);
  }
}

function ask(url: string): Promise<Response | Error> {
  return fetch(url, { signal: stopping.signal }).catch((error: Error) => error);
}

function onSignal(): void {
  if (!stopping.signal.aborted) void stopAll(0);
  else if (performance.now() - stoppedAt > samePressMs)
    for (const supervised of [...processes, ...sandboxes]) supervised.kill();
}

/** Processes first, Postgres last: their orders go back, and their connections close, while it is still there; so does what they ask the sandbox. */
async function stopAll(exitCode: number, reason?: string): Promise<void> {
  if (stopping.signal.aborted) return;
  if (reason === undefined) output.say('stopping (Ctrl-C again to kill)');
  else output.complain(reason);
  stoppedAt = performance.now();
  stopping.abort();
  await Promise.all(processes.map((supervised) => supervised.stop(stopGraceMs)));
  await Promise.all(sandboxes.map((supervised) => supervised.stop(stopGraceMs)));
  const started = await postgres?.catch(() => undefined); // its failure is the reason we are here
  await started?.stop();
  if (hasRunFile) removeRunFile(dataFolder); // it may be that of the demo that runs already
  if (reason === undefined) output.say('stopped');
  process.exit(exitCode);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFreePort } from '../sandbox/free-port.ts';
import { startPrivatePostgres } from '../sandbox/private-postgres.ts';
import { findProcess, waitUntil } from '../sandbox/running-process.ts';

// `npm start` in a checkout whose Procfile names small programs of this test: what is tested is how it runs them.
const root = path.dirname(import.meta.dirname);
const web = `import http from 'node:http';
  const server = http.createServer((request, response) => response.writeHead(request.url === '/readyz' ? 200 : 404).end());
  server.listen(Number(process.env.PORT), process.env.HOST);
  const { STRIPE_SECRET_KEY: key, STRIPE_API_BASE: stripe, PAYPAL_API_BASE: paypal, PUBLIC_URL: publicUrl } = process.env;
  const payments = { key, stripe, paypal, publicUrl };
  const mail = { host: process.env.SMTP_HOST, shownAt: process.env.DEV_MAIL_URL };
  console.log(JSON.stringify({ level: 'info', msg: 'web started', pid: process.pid, env: process.env.ENV, payments, mail }));
  process.on('SIGTERM', () => { console.log('web was told to stop'); server.close(); server.closeAllConnections(); });
  process.on('SIGINT', () => console.log('web was interrupted'));`;
const say = (what: string) => `console.log(JSON.stringify({ level: 'info', msg: '${what}' }));`;
const idle = 'const alive = setInterval(() => {}, 1000);';

let folder: string;
let port: number;
let running: ChildProcess[];

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-start-'));
  chmodSync(folder, 0o711);
  port = await findFreePort();
  running = [];
  for (const name of ['scripts', 'sandbox', 'src/domain', 'package.json'])
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  for (const name of [
    'src/config.ts',
    'src/config-backup.ts',
    'src/config-mail.ts',
    'src/config-payments.ts',
    'src/config-stores.ts',
    'src/config-values.ts',
    'src/log.ts',
    'workers/bots/handlers/handler-module.ts',
  ])
    cpSync(path.join(root, name), path.join(folder, name));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  program('scripts/load-samples.ts', say('samples loaded'));
  program('release.mjs', say('migrated'));
  program('web.mjs', web);
  program('Procfile', 'release: node release.mjs\nweb: node web.mjs\n');
});

afterEach(async () => {
  for (const child of running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

const program = (name: string, text: string) => writeFileSync(path.join(folder, name), text);

type Line = {
  process: string;
  msg: string;
  pid?: number;
  env?: string;
  payments?: { key?: string; stripe?: string; paypal?: string; publicUrl?: string };
  mail?: { host?: string; shownAt?: string };
  urls?: Record<string, string>;
  url?: string;
};

/** `npm start` without npm: its lines as they come, and its exit code. */
function npmStart(variables: Record<string, string> = {}) {
  const ours = /^(DATABASE_URL|DB_HOST|ENV|PUBLIC_URL|STRIPE_.*|PAYPAL_.*|SMTP_.*|(MAIL_)?SANDBOX_.*)$/;
  const rest = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  const env = { ...rest, PORT: String(port), ...variables };
  const child = spawn(process.execPath, ['scripts/start.ts'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // a process group of its own, as a shell makes one for what it starts
  });
  running.push(child);
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text));
    child.emit('said');
  });
  const ended = once(child, 'close').then(([code]) => code as number);
  const until = async (words: RegExp): Promise<Line> => {
    for (;;) {
      const found = lines.find(({ msg }) => words.test(msg));
      if (found) return found;
      const next = await Promise.race([once(child, 'said'), ended]);
      if (typeof next === 'number')
        throw new Error(`it ended without ${words}:\n${lines.map(({ msg }) => msg).join('\n')}`);
    }
  };
  return { child, lines, ended, until, said: () => lines.map(({ process: name, msg }) => `${name}: ${msg}`) };
}

describe('npm start', () => {
  it('brings up the database, the release, samples once, and the processes; and stops them, Postgres last', async () => {
    const first = npmStart();
    await first.until(/twolane is ready on/);
    expect(
      first
        .said()
        .filter((line) => !/^(sandbox|mail):/.test(line))
        .slice(-4),
    ).toEqual([
      'release: migrated',
      'samples: samples loaded',
      'web: web started',
      `start: twolane is ready on http://127.0.0.1:${port}`,
    ]);
    expect(await first.until(/web started/)).toMatchObject({ env: 'development' });
    const runFile = path.join(folder, '.data/run.json');
    expect(statSync(runFile).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(runFile, 'utf8'))).toMatchObject({
      url: `http://127.0.0.1:${port}`,
      pid: first.child.pid,
    });

    process.kill(-(first.child.pid ?? 0), 'SIGINT'); // what Ctrl-C at a terminal does
    expect(await first.ended).toBe(0);
    expect(first.said()).toContain('web: web was told to stop');
    expect(first.said()).not.toContain('web: web was interrupted');
    expect(existsSync(runFile)).toBe(false);

    const second = npmStart();
    await second.until(/twolane is ready on/);
    expect(second.said()).not.toContain('samples: samples loaded');
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });

  it('loads the samples at the next start when the first one broke before them', async () => {
    program('release.mjs', 'process.exit(3)');
    const broken = npmStart();
    expect(await broken.ended).toBe(1);
    expect(broken.said()).toContain('start: `node release.mjs` ended with code 3');
    program('release.mjs', say('migrated'));
    await npmStart().until(/samples loaded/);
  });

  it('starts a process that died again, and gives up when it dies at every start', async () => {
    const started = npmStart();
    const { pid } = await started.until(/web started/);
    process.kill(pid ?? 0, 'SIGKILL');
    await started.until(/web ended with SIGKILL; starting it again in 0.25 s/);
    await started.until(/twolane is ready on/);
    started.child.kill('SIGTERM');
    await started.ended;

    program('relay.mjs', "setTimeout(() => { throw new Error('no relay today'); }, 50);");
    program('Procfile', 'release: node release.mjs\nweb: node web.mjs\nrelay: node relay.mjs\n');
    const hopeless = npmStart();
    expect(await hopeless.ended).toBe(1);
    expect(hopeless.lines.map(({ msg }) => msg).join('\n')).toMatch(
      /relay ended 3 times within 10 s, giving up.*no relay today/s,
    );
  });

  it('names every fault of the environment in one message, before it starts anything', async () => {
    program('.env', 'LOG_LEVEL=loud\nADMIN_PASSWORD=short\nBOT_CAPACITY=some\nBOT_HANDLER=my-kitchen.ts\n');
    const refused = npmStart({ PORT: 'abc' });
    expect(await refused.ended).toBe(1);
    expect(refused.lines).toHaveLength(1);
    for (const name of ['LOG_LEVEL', 'ADMIN_PASSWORD', 'BOT_CAPACITY', 'PORT', 'BOT_HANDLER'])
      expect(refused.lines[0]?.msg).toMatch(new RegExp(`^ *${name}: `, 'm'));
  });

  it('names a handler that is not there, before it starts anything', async () => {
    const refused = npmStart({ BOT_HANDLER: 'my-kitchen.ts' });
    expect(await refused.ended).toBe(1);
    expect(refused.said()).toEqual([expect.stringMatching(/BOT_HANDLER: there is no file .*my-kitchen\.ts/)]);
  });

  it('runs the demo with the .env that is offered', async () => {
    cpSync(path.join(root, '.env.example'), path.join(folder, '.env'));
    const started = npmStart();
    await started.until(/twolane is ready on/);
    expect(await started.until(/web started/)).toMatchObject({ env: 'development' });
  });

  it('is not ready while one of its processes cannot start', async () => {
    program('bots.mjs', "setTimeout(() => { throw new Error('no bots today'); }, 700);");
    program('Procfile', 'release: node release.mjs\nweb: node web.mjs\nbots: node bots.mjs\n');
    const started = npmStart();
    expect(await started.ended).toBe(1);
    expect(started.said().join('\n')).not.toMatch(/twolane is ready/);
    expect(started.said().join('\n')).toMatch(/start: bots ended 3 times .*no bots today/s);
  });

  it('names the port that is in use, and how to take another', async () => {
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    const refused = npmStart();
    expect(await refused.ended).toBe(1);
    expect(refused.said()).toEqual([
      expect.stringMatching(new RegExp(`port ${port} is in use.*PORT=${port + 1} npm start`)),
    ]);
    squatter.close();
  });

  it('refuses a second start in the same folder, and leaves the first alone', async () => {
    const first = npmStart();
    await first.until(/twolane is ready on/);
    const second = npmStart({ PORT: String(await findFreePort()) });
    expect(await second.ended).toBe(1);
    expect(second.lines.at(-1)?.msg).toMatch(/is running from this folder already/);
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    expect(existsSync(path.join(folder, '.data/run.json'))).toBe(true);
  });

  it('leaves no process behind when it is killed, and adopts its Postgres at the next start', async () => {
    const first = npmStart();
    const { pid = 0 } = await first.until(/web started/);
    await first.until(/twolane is ready on/);
    first.child.kill('SIGKILL');
    expect(await waitUntil(() => findProcess(pid) === null, 5_000)).toBe(true);
    const second = npmStart();
    await second.until(/Postgres is still running \(pid \d+\), taking it over/);
    await second.until(/twolane is ready on/);
  });

  it('kills at the second Ctrl-C what does not want to stop', async () => {
    program('bots.mjs', `${idle} process.on('SIGTERM', () => console.log('not yet'));${say('bots started')}`);
    program('Procfile', 'release: node release.mjs\nweb: node web.mjs\nbots: node bots.mjs\n');
    const started = npmStart();
    await started.until(/bots started/);
    await started.until(/twolane is ready on/);
    started.child.kill('SIGINT');
    started.child.kill('SIGINT'); // the same press, passed on by npm as well
    await started.until(/not yet/);
    await delay(1_500); // on a busy machine the two arrive long after they were sent
    expect(started.child.exitCode).toBeNull();
    const asked = performance.now();
    started.child.kill('SIGINT');
    expect(await started.ended).toBe(0);
    expect(performance.now() - asked).toBeLessThan(4_000); // by itself it waits for 6.5 s more
    expect(started.said().join('\n')).not.toMatch(/starting it again|did not stop/);
  });

  it('uses the database it is given, and puts no samples there', async () => {
    const postgres = await startPrivatePostgres({ dataDir: path.join(folder, 'theirs') });
    const started = npmStart({ DATABASE_URL: postgres.url });
    await started.until(/twolane is ready on/);
    expect(started.said()).not.toContain('samples: samples loaded');
    expect(existsSync(path.join(folder, '.data', `pg-${postgres.major}`))).toBe(false);
    started.child.kill('SIGTERM');
    await started.ended;
    await postgres.stop();
  });

  it('brings stand-ins of Stripe and PayPal, which keep what they know, and stops them after what asks them', async () => {
    const first = npmStart();
    const sandboxUrl = (await first.until(/twolane is ready on/)).urls?.payments ?? '';
    const { payments } = await first.until(/web started/);
    expect(payments).toMatchObject({ stripe: sandboxUrl, paypal: sandboxUrl, publicUrl: `http://127.0.0.1:${port}` });
    const overview = await fetch(`${sandboxUrl}/`); // where the banner sends people
    expect([overview.status, overview.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const stripe = (path: string, form?: string) =>
      fetch(`${sandboxUrl}/v1/checkout/sessions${path}`, {
        headers: {
          authorization: `Bearer ${payments?.key}`,
          ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(form && { method: 'POST', body: form }),
      });
    const price = 'line_items[0][price_data][currency]=eur&line_items[0][price_data][unit_amount]=240';
    const opened = await stripe(
      '',
      `mode=payment&success_url=http://127.0.0.1/a&cancel_url=http://127.0.0.1/b&${price}&line_items[0][price_data][product_data][name]=Order&line_items[0][quantity]=1`,
    );
    const { id, url } = (await opened.json()) as { id: string; url: string };
    expect(new URL(url).origin).toBe(sandboxUrl);
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    const said = first.said();
    expect(said.indexOf('sandbox: sandbox closed')).toBeGreaterThan(said.indexOf('web: web was told to stop'));
    await expect(fetch(sandboxUrl)).rejects.toThrow();

    await npmStart().until(/twolane is ready on/);
    expect((await stripe(`/${id}`)).status).toBe(200); // on the same port, with what it knew
  });

  it('has no stand-in where there are keys of a provider, nor for the other one', async () => {
    const started = npmStart({ STRIPE_SECRET_KEY: 'sk_test_mine', STRIPE_WEBHOOK_SECRET: 'whsec_mine' });
    expect((await started.until(/twolane is ready on/)).urls).not.toHaveProperty('payments');
    const { payments } = await started.until(/web started/);
    expect(payments).toEqual({ key: 'sk_test_mine', publicUrl: `http://127.0.0.1:${port}` });
    const said = started.said();
    expect(said.filter((line) => line.includes('sandbox') && !line.startsWith('mail:'))).toEqual([
      'start: payments: Stripe by the keys of your environment; PayPal is not offered, and no sandbox runs',
    ]);
  });

  it('catches mails and shows them, unless it is told where they go', async () => {
    const first = npmStart();
    const { urls } = await first.until(/twolane is ready on/);
    expect(urls?.mail).toBe(`http://127.0.0.1:${port}/dev/mail`);
    const caught = (await first.until(/mail sandbox listening/)).url ?? '';
    expect(await (await fetch(caught)).text()).toMatch(/no mail/i);
    const { mail } = await first.until(/web started/);
    expect(mail).toMatchObject({ host: '127.0.0.1', shownAt: caught });
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);

    const second = npmStart({ SMTP_HOST: 'smtp.shop.example', SMTP_FROM: 'orders@shop.example' });
    expect((await second.until(/twolane is ready on/)).urls).not.toHaveProperty('mail');
    expect((await second.until(/web started/)).mail).toMatchObject({ host: 'smtp.shop.example' });
    expect(second.said()).toContain('start: mails go out by smtp.shop.example');
  });

  it('names a port of its stand-ins that is that of web', async () => {
    const refused = npmStart({ SANDBOX_PORT: String(port) });
    expect(await refused.ended).toBe(1);
    expect(refused.said()).toEqual([expect.stringMatching(`SANDBOX_PORT: ${port} is the PORT of web`)]);
  });

  it('is not ready without its stand-ins, and names a port of theirs that is in use', async () => {
    program('sandbox/main.ts', "setTimeout(() => { throw new Error('no sandbox today'); }, 50);");
    const hopeless = npmStart();
    expect(await hopeless.ended).toBe(1);
    expect(hopeless.said().join('\n')).not.toMatch(/twolane is ready/);
    expect(hopeless.said().join('\n')).toMatch(/start: sandbox ended 3 times .*no sandbox today/s);

    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port: taken } = squatter.address() as AddressInfo; // it listens on a port
    const refused = npmStart({ SANDBOX_PORT: String(taken) });
    expect(await refused.ended).toBe(1);
    expect(refused.said()).toEqual([expect.stringMatching(`SANDBOX_PORT: ${taken} is in use`)]);
    squatter.close();
  });

  it('is no way to run production', async () => {
    program('.env', 'ENV=production\n');
    const refused = npmStart();
    expect(await refused.ended).toBe(1);
    expect(refused.lines.at(-1)?.msg).toMatch(/ENV is production.*Procfile/);
  });
});

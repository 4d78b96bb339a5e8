import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

function start(environment: Record<string, string>): { child: ChildProcess; lines: Promise<string[]> } {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH ?? '', SANDBOX_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, lines: readLines(child) };
}

async function readLines(child: ChildProcess): Promise<string[]> {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream)
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        child.emit('line', line);
      });
  }
  await once(child, 'close');
  return lines;
}

it('says where it listens, lets in who has the key it was given, and ends when it is told to', async () => {
  const { child, lines } = start({ STRIPE_SECRET_KEY: 'sk_test_of_this_test' });
  const [first] = await once(child, 'line');
  const line = JSON.parse(String(first));
  expect(line).toMatchObject({ msg: 'sandbox listening', url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
  const ask = (key: string) =>
    fetch(`${line.url}/v1/payment_intents`, { headers: { authorization: `Bearer ${key}` } }).then(
      ({ status }) => status,
    );
  expect(await ask('sk_test_of_this_test')).toBe(200);
  expect(await ask('sk_test_sandbox_of_twolane')).toBe(401);
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect((await lines).join('\n')).not.toContain('sk_test_of_this_test');
});

it('refuses to run in production', async () => {
  const { child, lines } = start({ ENV: 'production' });
  const [code] = await once(child, 'exit');
  expect(code).toBe(1);
  expect((await lines).join('\n')).toContain('never runs in production');
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config.ts';
import { isRetryable, OrderRefusedError } from './handler.ts';
import { HandlerSettingError } from './handler-module.ts';
import { openHandler } from './open-handler.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-handler-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settings = (handler: string): Config['bots'] => ({
  capacity: 1,
  processingMs: 30,
  handler,
  handlerSecret: 'sixteen-characters',
  handlerTimeoutMs: 1_000,
});
const order = { number: 1001, lane: 'vip', attempt: 1, items: [], note: null, customerName: null } as const;
const context = (signal = new AbortController().signal) => ({ signal, botNumber: 1, reportProgress: () => {} });

function moduleOf(name: string, text: string): string {
  const file = path.join(folder, `${name}.mjs`);
  writeFileSync(file, text);
  return file;
}

describe('BOT_HANDLER', () => {
  it('timer takes its time, says how long, and lets go at once when aborted', async () => {
    const timer = await openHandler(settings('timer'));
    expect(timer).toMatchObject({ expectedMs: 30, needsOrder: false });
    const startedAt = performance.now();
    await timer.run({ ...order, items: [] }, context());
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
    const abort = new AbortController();
    const running = timer.run({ ...order, items: [] }, context(abort.signal));
    abort.abort();
    await expect(running).rejects.toThrow(/abort/i);
  });

  it('takes a module whose default export is a handler, or makes one', async () => {
    const plain = await openHandler(
      settings(
        moduleOf(
          'plain',
          'export default { name: "x", async run(order) { this.name += order.number; if (this.name !== "x1001") throw new Error(this.name); } }',
        ),
      ),
    );
    expect(plain).toMatchObject({ expectedMs: null, needsOrder: true });
    await plain.run({ ...order, items: [] }, context());
    const made = await openHandler(
      settings(
        moduleOf('made', 'export default async () => ({ expectedMs: 5, needsOrder: false, run: async () => {} })'),
      ),
    );
    expect(made).toMatchObject({ expectedMs: 5, needsOrder: false });
  });

  it('names a file that does not exist in one message', async () => {
    const refusal = await openHandler(settings('no-such-handler.mjs')).catch((error: Error) => error);
    expect(refusal).toBeInstanceOf(HandlerSettingError);
    expect(refusal).toMatchObject({ stack: expect.not.stringContaining('\n') }); // what the process says as it ends
    expect(refusal).toMatchObject({
      message: expect.stringMatching(/BOT_HANDLER: there is no file \/.*no-such-handler/),
    });
    await expect(openHandler(settings(folder))).rejects.toThrow(/there is no file/);
  });

  it.each([
    ['nothing', 'export const run = async () => {};'],
    ['an object without run', 'export default {};'],
    ['a function that makes nothing', 'export default () => {};'],
  ])('refuses a module that exports %s', async (name, text) => {
    await expect(openHandler(settings(moduleOf(name.replaceAll(' ', '-'), text)))).rejects.toThrow(
      /BOT_HANDLER: .* has no default export/,
    );
  });
});

it('knows which failures are worth another try', () => {
  expect(isRetryable(new Error('not now'))).toBe(true);
  expect(isRetryable('a text')).toBe(true);
  expect(isRetryable(null)).toBe(true);
  expect(isRetryable(new OrderRefusedError('never'))).toBe(false);
  expect(isRetryable({ retryable: false })).toBe(false);
});

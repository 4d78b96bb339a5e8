import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createOutput } from './output.ts';

function capture(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, hasColors: () => true }) as unknown as NodeJS.WriteStream;
  return { output: createOutput(stream, ['web', 'relay']), text: () => String(stream.read() ?? '') };
}

const pinoLine =
  '{"level":"info","time":"2026-01-02T03:04:05.678Z","role":"web","orderNumber":1001,"msg":"order placed"}';

describe('the log of npm start', () => {
  it('is for people at a terminal: a coloured name, a time, the words, the facts', () => {
    const { output, text } = capture(true);
    output.line('web', pinoLine, 'stdout');
    output.line('relay', 'Error: boom', 'stderr');
    const written = text();
    expect(written).not.toBe(stripVTControlCharacters(written));
    const [first, second] = stripVTControlCharacters(written).split('\n');
    expect(first).toMatch(/^web {3}│ \[\d\d:\d\d:\d\d\] INFO: order placed \{"orderNumber":1001\}$/);
    expect(second).toBe('relay │ Error: boom');
  });

  it('is JSON lines elsewhere, each with the name of its process', () => {
    const { output, text } = capture(false);
    output.line('web', pinoLine, 'stdout');
    output.line('relay', '{ not json', 'stderr');
    output.announce('twolane is ready on http://127.0.0.1:3000', { urls: {} }, 'for people only');
    const lines = text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { process: 'web', level: 'info', orderNumber: 1001, msg: 'order placed' },
      { process: 'relay', level: 'error', msg: '{ not json' },
      { process: 'start', level: 'info', urls: {}, msg: 'twolane is ready on http://127.0.0.1:3000' },
    ]);
  });
});

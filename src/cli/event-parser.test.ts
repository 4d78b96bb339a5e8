import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventParser } from './event-parser.ts';

const stream =
  ': hello\n\nid: 7\nevent: order\ndata: {"number":1001}\n\nevent: bots\ndata: {\ndata: "total": 2 }\n\n: beat\n\ndata:x\n\nid\ndata: y\n\nretry: 250\ndata: unfinished\n';
const expected = [
  { id: '7', event: 'order', data: '{"number":1001}' },
  { id: '7', event: 'bots', data: '{\n"total": 2 }' },
  { id: '7', event: 'message', data: 'x' },
  { id: '', event: 'message', data: 'y' },
];

describe('EventParser', () => {
  it.each(['\n', '\r\n', '\r'])('reads ids, names, several data lines and comments with line end %j', (lineEnd) => {
    const parser = new EventParser();
    expect(parser.push(stream.replaceAll('\n', lineEnd))).toEqual(expected);
    expect(parser.retryMs).toBe(250);
  });

  it('gives the same events however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
        (lineEnd, sizes) => {
          const text = stream.replaceAll('\n', lineEnd);
          const parser = new EventParser();
          const events = [];
          for (let at = 0, turn = 0; at < text.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            events.push(...parser.push(text.slice(at, at + size)));
            at += size;
          }
          expect(events).toEqual(expected);
        },
      ),
    );
  });

  it('does not hand out an event that the connection cut off', () => {
    const parser = new EventParser('41');
    expect(parser.push('id: 42\ndata: half')).toEqual([]);
    expect(parser.lastEventId).toBe('42');
  });
});

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readObject } from './buckets.ts';
import type { S3Answer } from './s3-answer.ts';
import type { S3Fault } from './s3-faults.ts';

/** With the trouble on its way that is due: cut short, stopped, or a byte that became another. */
export async function sendAnswer(response: ServerResponse, answer: S3Answer, fault: S3Fault | null): Promise<void> {
  const { status, headers, body } = answer;
  response.writeHead(status, { ...headers, 'x-amz-request-id': 'stand-in' });
  if (body === null || typeof body === 'string') {
    response.end(body ?? undefined);
    return;
  }
  const pieces = readObject(body.object, body.start, body.end);
  await pipeline(Readable.from(troubled(pieces, fault, response)), response).catch((error: unknown) => {
    if (!response.destroyed) throw error; // cut, or whoever asked has gone
  });
}

async function* troubled(pieces: AsyncIterable<Buffer>, fault: S3Fault | null, response: ServerResponse) {
  const { kind, atByte = 0 } = fault ?? {};
  let sent = 0;
  for await (const piece of pieces) {
    const place = atByte - sent;
    sent += piece.length;
    if (place < 0 || place >= piece.length) {
      yield piece;
    } else if (kind === 'cut' || kind === 'stalls') {
      await new Promise((written) => response.write(piece.subarray(0, place), written));
      if (kind === 'stalls') await once(response, 'close');
      response.destroy();
      return;
    } else {
      yield kind === 'flipped' ? flipped(piece, place) : piece;
    }
  }
}

function flipped(piece: Buffer, place: number): Buffer {
  const other = Buffer.from(piece);
  other[place] = (piece[place] ?? 0) ^ 0x01;
  return other;
}

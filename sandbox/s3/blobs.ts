import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Bytes of an object or of a part of one. */
export interface Blob {
  bytes: number;
  read(start: number, end: number): Promise<Buffer>;
  drop(): Promise<void>;
}

/** In memory, or as files of a folder, where large ones spare the memory of who is tested beside it. */
export async function keepBytes(folder: string | null, content: Buffer): Promise<Blob> {
  if (folder === null)
    return {
      bytes: content.length,
      read: async (start, end) => content.subarray(start, end),
      drop: async () => {},
    };
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, randomUUID());
  await writeFile(file, content);
  return {
    bytes: content.length,
    async read(start, end) {
      const handle = await open(file);
      try {
        const piece = Buffer.alloc(end - start);
        await handle.read(piece, 0, piece.length, start);
        return piece;
      } finally {
        await handle.close();
      }
    },
    drop: () => rm(file, { force: true }),
  };
}

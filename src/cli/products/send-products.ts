import { z } from 'zod';
import type { ProductImport } from '../../domain/product.ts';
import { askFor, type Server } from '../api-client.ts';
import { RefusedError } from '../problem.ts';
import type { ProductLine, RefusedProduct } from './product-file.ts';

const importAnswer = z.object({ imported: z.int() });
const sentAtOnce = 500;
/** Half of what the server takes. */
const bytesAtOnce = 1024 * 1024;

/** Adds or changes products, by Basic auth. */
export async function sendProducts(server: Server, products: readonly ProductImport[]): Promise<number> {
  let imported = 0;
  for (const batch of batchesOf(products)) imported += await sendBatch(server, batch);
  return imported;
}

/** The same for a file's lines. Those that the server does not take, being of another version, are refused, and the rest goes on. */
export async function sendLines(
  server: Server,
  lines: readonly ProductLine[],
  onProgress: (linesDone: number) => void,
): Promise<{ imported: number; refused: RefusedProduct[] }> {
  const refused: RefusedProduct[] = [];
  let imported = 0;
  let linesDone = 0;
  for (const { length } of batchesOf(lines.map(({ product }) => product))) {
    let batch = lines.slice(linesDone, linesDone + length);
    while (batch.length > 0) {
      const attempt = await sendOrRefuse(server, batch);
      imported += attempt.imported;
      refused.push(...attempt.refused);
      batch = attempt.left;
    }
    linesDone += length;
    onProgress(linesDone);
  }
  return { imported, refused };
}

async function sendOrRefuse(
  server: Server,
  batch: ProductLine[],
): Promise<{ imported: number; refused: RefusedProduct[]; left: ProductLine[] }> {
  try {
    const products = batch.map(({ product }) => product);
    return { imported: await sendBatch(server, products), refused: [], left: [] };
  } catch (error) {
    if (!(error instanceof RefusedError) || error.code !== 'input_invalid') throw error;
    const problems = new Map<number, string[]>();
    for (const { path, message } of error.faults) {
      const [, index, field = 'product'] = /^products\.(\d+)(?:\.(.*))?$/.exec(path) ?? [];
      if (index !== undefined && batch[Number(index)] !== undefined)
        problems.set(Number(index), [...(problems.get(Number(index)) ?? []), `${field}: ${message}`]);
    }
    if (problems.size === 0) throw error;
    const refused = batch.flatMap(({ line }, index) => {
      const faults = problems
        .get(index)
        ?.map((problem) => ({ column: null, problem, expected: 'what this server takes' }));
      return faults ? [{ line, faults }] : [];
    });
    return { imported: 0, refused, left: batch.filter((_, index) => !problems.has(index)) };
  }
}

async function sendBatch(server: Server, products: readonly ProductImport[]): Promise<number> {
  const { value } = await askFor(
    server,
    {
      method: 'POST',
      path: '/v1/admin/products',
      as: 'admin',
      isRepeatable: true,
      body: { products },
      whenLost: 'import the same again: what is there already only becomes the same once more',
    },
    importAnswer,
  );
  return value.imported;
}

export function batchesOf(products: readonly ProductImport[]): ProductImport[][] {
  const batches: ProductImport[][] = [];
  let bytes = 0;
  for (const product of products) {
    const size = Buffer.byteLength(JSON.stringify(product)) + 1;
    const last = batches.at(-1);
    if (last === undefined || last.length === sentAtOnce || bytes + size > bytesAtOnce) {
      batches.push([product]);
      bytes = size;
    } else {
      last.push(product);
      bytes += size;
    }
  }
  return batches;
}

import { expect, it } from 'vitest';
import { GroupCommit } from './group-commit.ts';

const isItemFault = (error: unknown) => (error as Error).message.startsWith('bad');

function recorder(options: { maxBatch?: number; keyOf?: (item: number) => string | undefined } = {}) {
  const batches: number[][] = [];
  const group = new GroupCommit<number, number>({
    async write(items) {
      batches.push(items);
      await new Promise((resolve) => setTimeout(resolve, 1));
      const bad = items.find((item) => item < 0);
      if (bad !== undefined) throw new Error(`bad ${bad}`);
      return items.map((item) => item * 10);
    },
    maxBatch: options.maxBatch ?? 100,
    isItemFault,
    ...(options.keyOf && { keyOf: options.keyOf }),
  });
  return { batches, group };
}

it('writes what arrives together as one group, and what arrives meanwhile as the next', async () => {
  const { batches, group } = recorder();
  const first = [1, 2, 3].map((item) => group.submit(item));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const second = [4, 5].map((item) => group.submit(item));
  expect(await Promise.all([...first, ...second])).toEqual([10, 20, 30, 40, 50]);
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
});

it('keeps the order of arrival across groups of limited size', async () => {
  const { batches, group } = recorder({ maxBatch: 2 });
  await Promise.all([1, 2, 3, 4, 5].map((item) => group.submit(item)));
  expect(batches.flat()).toEqual([1, 2, 3, 4, 5]);
  expect(batches.every((batch) => batch.length <= 2)).toBe(true);
});

it('fails the faulty items alone', async () => {
  const { group } = recorder();
  const results = await Promise.allSettled([1, -2, 3, 4, -5, 6].map((item) => group.submit(item)));
  expect(
    results.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).message)),
  ).toEqual([10, 'bad -2', 30, 40, 'bad -5', 60]);
});

it('never puts two items of one key in one group', async () => {
  const { batches, group } = recorder({ keyOf: (item) => (item > 2 ? undefined : 'same') });
  await Promise.all([1, 2, 3, 4].map((item) => group.submit(item)));
  expect(batches).toEqual([[1, 3, 4], [2]]);
});

it('goes on after a fault of everybody', async () => {
  let isDown = true;
  const group = new GroupCommit<number, number>({
    async write(items) {
      if (isDown) throw new Error('down');
      return items;
    },
    maxBatch: 10,
    isItemFault,
  });
  await expect(group.submit(1)).rejects.toThrow('down');
  isDown = false;
  await expect(group.submit(2)).resolves.toBe(2);
});

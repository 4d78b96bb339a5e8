import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { busiestQuarterOf } from '../src/cli/replay/day-report.ts';
import { readTillFile } from '../src/cli/replay/till-file.ts';
import { TillOrders } from '../src/cli/replay/till-orders.ts';
import { makeSaturday } from './make-saturday.ts';

const file = path.join(import.meta.dirname, '../docs/examples/a-saturday.csv');

describe('docs/examples/a-saturday.csv', () => {
  it('is what the generator makes', async () => {
    expect(await readFile(file, 'utf8')).toBe(makeSaturday()); // node scripts/make-saturday.ts writes it anew
  });

  it('is a plausible day of 1,200 orders', async () => {
    const { lines, refused } = await readTillFile(file);
    expect(refused).toEqual([]);
    const day = new TillOrders();
    for (const line of lines) day.add(line);
    expect(day.refused).toEqual([]);
    const orders = day.inFileOrder();
    expect(orders).toHaveLength(1_200);
    const vipShare = orders.filter(({ lane }) => lane === 'vip').length / 1_200;
    expect(vipShare).toBeGreaterThanOrEqual(0.08);
    expect(vipShare).toBeLessThanOrEqual(0.12);
    expect(Math.min(...orders.map(({ items }) => items.length))).toBe(1);
    expect(Math.max(...orders.map(({ items }) => items.length))).toBe(4);
    expect(new Set(lines.map(({ sku }) => sku)).size).toBe(16);

    const countBetween = (from: number, to: number) =>
      orders.filter(({ placedAt }) => {
        const hour = (placedAt.atMs / 3_600_000) % 24;
        return from <= hour && hour < to;
      }).length;
    expect(countBetween(8, 10)).toBeGreaterThan(2 * countBetween(14, 16)); // a morning rush, a quiet afternoon
    expect(countBetween(12, 14)).toBeGreaterThan(countBetween(14, 16));
    expect(countBetween(0, 7) + countBetween(18, 24)).toBe(0);
    expect(busiestQuarterOf(orders.map(({ placedAt }) => placedAt.atMs))?.orders).toBeLessThan(80);
  });
});

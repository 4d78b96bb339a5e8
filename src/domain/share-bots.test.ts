import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type HostCapacity, shareBots } from './share-bots.ts';

const hosts = (...loads: [capacity: number, bots: number][]): HostCapacity[] =>
  loads.map(([capacity, bots], index) => ({ hostId: `host-${index}`, capacity, bots }));

it('gives a lone host everything it has room for', () => {
  expect(shareBots(hosts([25, 0]), 'host-0', 15)).toEqual({ take: 15, release: 0 });
  expect(shareBots(hosts([10, 0]), 'host-0', 15)).toEqual({ take: 10, release: 0 });
});

it('lets a host go down to its even share when another joins', () => {
  expect(shareBots(hosts([25, 15], [25, 0]), 'host-0', 0)).toEqual({ take: 0, release: 7 });
  expect(shareBots(hosts([25, 8], [25, 0]), 'host-1', 7)).toEqual({ take: 7, release: 0 });
});

it('takes beyond the even share what others have no room for', () => {
  expect(shareBots(hosts([25, 0], [2, 2]), 'host-0', 10)).toEqual({ take: 10, release: 0 });
});

it('settles for any hosts: everything that fits is assigned, evenly, and then nothing moves', () => {
  const anyHosts = fc.array(fc.record({ capacity: fc.nat(30), bots: fc.nat(30) }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(anyHosts, fc.nat(60), (loads, free) => {
      const table = hosts(...loads.map(({ capacity, bots }): [number, number] => [capacity, Math.min(bots, capacity)]));
      let unassigned = free;
      for (let round = 0; round < 50; round++) {
        for (const host of table) {
          const { take, release } = shareBots(table, host.hostId, unassigned);
          host.bots += take - release;
          unassigned += release - take;
        }
      }
      const capacity = table.reduce((sum, host) => sum + host.capacity, 0);
      const bots = table.reduce((sum, host) => sum + host.bots, 0);
      expect(unassigned).toBe(Math.max(0, bots + unassigned - capacity));
      for (const host of table) expect(shareBots(table, host.hostId, unassigned)).toEqual({ take: 0, release: 0 });
      const open = table.filter((host) => host.bots < host.capacity).map((host) => host.bots);
      if (open.length > 0)
        expect(Math.max(...table.map((host) => host.bots))).toBeLessThanOrEqual(Math.min(...open) + 1);
    }),
  );
});

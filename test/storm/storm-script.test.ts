import { describe, expect, it } from 'vitest';
import { stormSchema } from '../../sandbox/payments/fault-script.ts';
import { FaultStorm } from '../../sandbox/payments/storm.ts';
import { digestOf, processNames, writeStormScript } from './storm-script.ts';
import { findUnforetold, foretell } from './weather.ts';

const weather = (seed: number) => ({ seed, rate: 0.3, delayMs: 1 });

describe('the script of a storm', () => {
  it('is the same with the same seed, and another with another', () => {
    const script = writeStormScript(7, 300);
    expect(digestOf(writeStormScript(7, 300))).toBe(digestOf(script));
    expect(digestOf(writeStormScript(8, 300))).not.toBe(digestOf(script));
  });

  it('has everything in it that customers, managers and machines do', () => {
    const { orders, blows } = writeStormScript(7, 300);
    const kinds = (of: (order: (typeof orders)[number]) => unknown) => [...new Set(orders.map(of))].sort();
    expect(kinds(({ provider }) => provider)).toEqual(['paypal', 'stripe']);
    expect(kinds(({ paying }) => paying)).toHaveLength(8);
    expect(kinds(({ cancel }) => cancel && `${cancel.by} ${cancel.at}`)).toHaveLength(7);
    expect(kinds(({ afterFailure }) => afterFailure)).toHaveLength(3);
    expect(kinds(({ refunds }) => refunds.join())).toHaveLength(5);
    expect(kinds(({ outcome }) => outcome)).toHaveLength(3);
    expect(new Set(blows.flatMap(({ victim }) => victim ?? [])).size).toBe(processNames.length);
    expect(blows.filter(({ kind }) => kind === 'wipe_queues')).toHaveLength(1);
    expect(blows.filter(({ kind }) => kind === 'remove_bot').length).toBeGreaterThan(1);
  });
});

describe('the weather of a storm', () => {
  it('is foretold by its seed', () => {
    expect(foretell(weather(1), [1_001, 1_002])).toEqual(foretell(weather(1), [1_001, 1_002]));
    expect(foretell(weather(2), [1_001, 1_002])).not.toEqual(foretell(weather(1), [1_001, 1_002]));
  });

  it('is recognised by the faults that were met, whichever orders came first, and no other weather is', () => {
    const sky = new FaultStorm(stormSchema.parse(weather(1)));
    const met = [1_003, 1_001, 1_002].flatMap((orderNumber) =>
      Array.from({ length: 40 }, () => {
        const request = { provider: 'stripe', operation: 'capture', orderNumber } as const;
        return { ...request, kind: sky.nextRequest(request) ?? 'none' };
      }).filter(({ kind }) => kind !== 'none'),
    );
    expect(met.length).toBeGreaterThan(10);
    expect(findUnforetold(weather(1), met)).toEqual([]);
    expect(findUnforetold(weather(2), met)).not.toEqual([]);
  });
});

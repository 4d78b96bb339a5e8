import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sandboxOperations, stormSchema } from './fault-script.ts';
import { startPaymentSandbox } from './payment-sandbox.ts';
import { FaultStorm } from './storm.ts';
import { openStripeShop } from './stripe/stripe-shop.ts';

const storm = (seed: string, rate: number) => new FaultStorm(stormSchema.parse({ seed, rate }));

describe('a storm', () => {
  it('decides by what a request is and how manieth, whatever arrives in between', () => {
    const request = fc.record({
      provider: fc.constantFrom('stripe', 'paypal'),
      operation: fc.constantFrom(...sandboxOperations),
      orderNumber: fc.option(fc.integer({ min: 1, max: 5 })),
    });
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(request, { maxLength: 60 }),
        fc.infiniteStream(fc.nat()),
        (seed, list, moves) => {
          const shuffled = list
            .map((each) => ({ each, place: moves.next().value }))
            .toSorted((one, other) => one.place - other.place)
            .map(({ each }) => each);
          expect(weather(seed, shuffled)).toEqual(weather(seed, list));
        },
      ),
    );
  });

  it('refuses the same request at most three times in a row, however bad it is', () => {
    const worst = storm('worst', 1);
    const request = { provider: 'stripe', operation: 'capture', orderNumber: 7 } as const;
    const met = Array.from({ length: 12 }, () => worst.nextRequest(request) !== null);
    expect(met.join()).toBe(
      [true, true, true, false].concat([true, true, true, false], [true, true, true, false]).join(),
    );
  });

  it('is about as bad as it is said to be, in all kinds', () => {
    const some = storm('some', 0.3);
    const met = Array.from({ length: 2_000 }, (_, orderNumber) =>
      some.nextRequest({ provider: 'paypal', operation: 'capture', orderNumber }),
    ).filter((kind) => kind !== null);
    expect(met.length).toBeGreaterThan(500);
    expect(met.length).toBeLessThan(700);
    expect(new Set(met).size).toBe(8);
  });

  it('is another with another seed', () => {
    const list = Array.from({ length: 50 }, (_, orderNumber) => ({
      provider: 'stripe',
      operation: 'capture' as const,
      orderNumber,
    }));
    expect(weather('one', list)).not.toEqual(weather('other', list));
  });

  it('is the same over the wire for the same seed, in whatever order the orders come', async () => {
    const run = async (orderNumbers: number[]) => {
      const sandbox = await startPaymentSandbox();
      sandbox.faults.storm({ seed: 42, rate: 0.5, delayMs: 1, kinds: ['unavailable', 'error_after', 'rate_limited'] });
      const shop = openStripeShop(sandbox);
      await Promise.all(
        orderNumbers.map(async (orderNumber) => {
          for (let count = 0; count < 4; count++) await shop.checkout({ orderNumber }).catch(() => {});
        }),
      );
      const met = sandbox.faults.met().map(({ orderNumber, kind }) => `${orderNumber} ${kind}`);
      await sandbox.close();
      return met.toSorted();
    };
    const met = await run([1, 2, 3, 4, 5, 6]);
    expect(met.length).toBeGreaterThan(3);
    expect(await run([6, 4, 2, 5, 3, 1])).toEqual(met);
  });
});

/** What each request met, by its name and number. */
function weather(seed: string, requests: Parameters<FaultStorm['nextRequest']>[0][]): string[] {
  const sky = storm(seed, 0.5);
  const counts = new Map<string, number>();
  return requests
    .map((request) => {
      const name = `${request.provider} ${request.operation} ${request.orderNumber}`;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return `${name} ${count} ${sky.nextRequest(request)}`;
    })
    .toSorted();
}

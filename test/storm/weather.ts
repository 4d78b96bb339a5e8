import {
  faultKinds,
  type SandboxOperation,
  sandboxOperations,
  stormSchema,
  webhookFaultKinds,
} from '../../sandbox/payments/fault-script.ts';
import type { MetFault } from '../../sandbox/payments/faults.ts';
import { FaultStorm } from '../../sandbox/payments/storm.ts';
import { paymentProviders } from '../../src/domain/payment.ts';

export interface Weather {
  seed: number;
  rate: number;
  /** How long a slow answer takes: longer than anybody waits for it. */
  delayMs: number;
}

/** What the first requests of each kind about each order meet: a pure function of the seed. */
export function foretell(weather: Weather, orderNumbers: readonly number[]): string[] {
  const sky = new FaultStorm(stormSchema.parse(weather));
  return paymentProviders.flatMap((provider) =>
    sandboxOperations.flatMap((operation) =>
      orderNumbers.flatMap((orderNumber) =>
        [1, 2, 3, 4].map(
          (nth) =>
            `${provider} ${operation} ${orderNumber} ${nth} ${sky.nextRequest({ provider, operation, orderNumber })}`,
        ),
      ),
    ),
  );
}

/** Faults that were met though the seed has others in their places. */
export function findUnforetold(weather: Weather, met: readonly MetFault[]): string[] {
  const sky = new FaultStorm(stormSchema.parse(weather));
  const unforetold: string[] = [];
  for (const fault of met) {
    const draw = drawOf(sky, fault);
    if (!draw) continue; // what a provider decides is in the script, not in the weather
    let kind: string | null = null;
    for (let quiet = 0; kind === null && quiet < 10_000; quiet++) kind = draw();
    if (kind !== fault.kind)
      unforetold.push(
        `${fault.provider} ${fault.operation} of order ${fault.orderNumber} met ${fault.kind}, the seed says ${kind}`,
      );
  }
  return unforetold;
}

function drawOf(sky: FaultStorm, { provider, operation, orderNumber, kind }: MetFault): (() => string | null) | null {
  const isOfRequest = sandboxOperations.some((each) => each === operation);
  if (isOfRequest)
    return faultKinds.some((each) => each === kind)
      ? () => sky.nextRequest({ provider, operation: operation as SandboxOperation, orderNumber }) // as was just seen
      : null;
  return webhookFaultKinds.some((each) => each === kind)
    ? () => sky.nextEvent({ provider, type: operation, orderNumber })?.kind ?? null
    : null;
}

import { createHash } from 'node:crypto';
import type { z } from 'zod';
import {
  type FaultKind,
  faultKinds,
  type SandboxOperation,
  type stormSchema,
  type WebhookFaultKind,
  webhookFaultKinds,
} from './fault-script.ts';

type StormSettings = z.output<typeof stormSchema>;

export interface StormRequest {
  provider: string;
  operation: SandboxOperation;
  orderNumber: number | null;
}

export interface StormEvent {
  provider: string;
  type: string;
  orderNumber: number | null;
}

/** A request is never refused more often than this in a row, so that whoever tries again gets through in the end. */
const mostInARow = 3;
const readingOperations: readonly SandboxOperation[] = ['checkout.read', 'read', 'token', 'events.list', 'verify'];

/**
 * Weather from a seed. Whether a request fails, and how, is decided by what it is and how manieth of its kind it is: never by the
 * time, nor by what arrived before it. So the same seed is the same weather, however fast the machine.
 */
export class FaultStorm {
  readonly settings: StormSettings;
  readonly #seen = new Map<string, { count: number; inARow: number }>();

  constructor(settings: StormSettings) {
    this.settings = settings;
  }

  nextRequest({ provider, operation, orderNumber }: StormRequest): FaultKind | null {
    const name = `${provider} ${operation} ${orderNumber ?? '-'}`;
    const seen = this.#seen.get(name) ?? { count: 0, inARow: 0 };
    this.#seen.set(name, seen);
    seen.count++;
    const wanted = this.settings.kinds ?? faultKinds;
    // what only says that there was no effect yet, is said of requests that have one
    const kinds = readingOperations.includes(operation) ? wanted.filter((kind) => kind !== 'conflict') : wanted;
    const draw = this.#draw(`request ${name} ${seen.count}`);
    const kind = draw.share < this.settings.rate && seen.inARow < mostInARow ? pick(kinds, draw.choice) : null;
    seen.inARow = kind === null ? 0 : seen.inARow + 1;
    return kind;
  }

  nextEvent({ provider, type, orderNumber }: StormEvent): { kind: WebhookFaultKind; share: number } | null {
    const name = `${provider} ${type} ${orderNumber ?? '-'}`;
    const seen = this.#seen.get(name) ?? { count: 0, inARow: 0 };
    this.#seen.set(name, seen);
    seen.count++;
    const draw = this.#draw(`event ${name} ${seen.count}`);
    if (draw.share >= (this.settings.webhookRate ?? this.settings.rate)) return null;
    const kind = pick(this.settings.webhookKinds ?? webhookFaultKinds, draw.choice);
    return kind && { kind, share: draw.measure };
  }

  /** Three numbers from 0 up to 1 that look random. */
  #draw(about: string): { share: number; choice: number; measure: number } {
    const hash = createHash('sha256').update(`${this.settings.seed} ${about}`).digest();
    return {
      share: hash.readUInt32BE(0) / 2 ** 32,
      choice: hash.readUInt32BE(4) / 2 ** 32,
      measure: hash.readUInt32BE(8) / 2 ** 32,
    };
  }
}

function pick<Item>(items: readonly Item[], share: number): Item | null {
  return items[Math.floor(share * items.length)] ?? null;
}

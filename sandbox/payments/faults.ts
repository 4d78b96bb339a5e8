import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Answer, Answering } from './answer.ts';
import {
  type Fault,
  type FaultKind,
  faultKinds,
  type OutcomeKind,
  outcomeKinds,
  parseFault,
  type requestFaultSchema,
  type SandboxOperation,
  type Storm,
  stormSchema,
  type WebhookFaultKind,
  type webhookFaultSchema,
} from './fault-script.ts';
import type { IdempotencyKeys, KeyedRequest } from './idempotency.ts';
import { FaultStorm, type StormEvent } from './storm.ts';

export interface SandboxRequest {
  provider: Answering;
  operation: SandboxOperation;
  orderNumber: number | null;
  /** Null where the request has no key. */
  keyed: KeyedRequest | null;
}

/** One that was met, in the order in which they were. */
export interface MetFault {
  provider: string;
  operation: string;
  orderNumber: number | null;
  kind: string;
}

type RequestScript = z.output<typeof requestFaultSchema>;
type WebhookScript = z.output<typeof webhookFaultSchema>;

const defaultDelayMs = 1_000;

/** What goes wrong, by script and by storm, and the answers that remember. Every request of a provider's API passes `around`. */
export class SandboxFaults {
  readonly #idempotency: IdempotencyKeys;
  readonly #closing = new AbortController();
  #scripts: (RequestScript | WebhookScript)[] = [];
  #storm: FaultStorm | null = null;
  readonly #met: MetFault[] = [];

  constructor(idempotency: IdempotencyKeys) {
    this.#idempotency = idempotency;
  }

  /** Scripts are used up in the order they came. */
  add(fault: Fault): void {
    this.#scripts.push(parseFault(fault));
  }

  storm(storm: Storm): void {
    this.#storm = new FaultStorm(stormSchema.parse(storm));
  }

  /** Scripts and storm: good weather from here on. */
  clear(): void {
    this.#scripts = [];
    this.#storm = null;
  }

  met(): readonly MetFault[] {
    return this.#met;
  }

  waiting(): readonly Fault[] {
    return this.#scripts;
  }

  /**
   * Answers the request with what `effect` gives, or with the trouble that is due. `effect` is called at most once, and not at all
   * where its key was answered before.
   */
  async around(
    request: FastifyRequest,
    reply: FastifyReply,
    call: SandboxRequest,
    effect: () => Answer | Promise<Answer>,
  ): Promise<FastifyReply> {
    const { trouble } = call.provider;
    const fault = this.#nextFault(call);
    if (fault?.kind === 'unavailable') return send(reply, trouble.unavailable());
    if (fault?.kind === 'rate_limited') return send(reply, trouble.rateLimited(fault.retryAfterSeconds));
    if (fault?.kind === 'conflict') return send(reply, trouble.conflict());
    if (fault?.kind === 'reset_before') return breakConnection(request, reply);
    if (fault?.kind === 'slow_before') await this.#pause(fault.delayMs);

    const key = call.keyed;
    const known = key === null ? null : this.#idempotency.begin(key);
    if (known?.state === 'running') return send(reply, trouble.conflict());
    if (known?.state === 'other_parameters') return send(reply, trouble.otherParameters());
    if (known?.state === 'answered') {
      // what happened to its first answer, may happen to its second
      if (fault?.kind === 'answer_lost') return breakConnection(request, reply);
      if (fault?.kind === 'slow') await this.#pause(fault.delayMs);
      return send(reply, trouble.replayed(known.answer));
    }
    try {
      const answer = await effect();
      const fails = fault?.kind === 'error_after' && answer.status < 400;
      if (key && !answer.forgettable)
        this.#idempotency.remember(key, fails && trouble.remembersFailures ? trouble.failed() : answer);
      if (fault?.kind === 'answer_lost') return breakConnection(request, reply);
      if (fault?.kind === 'slow') await this.#pause(fault.delayMs); // its key is in use until then
      return send(reply, fails ? trouble.failed() : answer);
    } finally {
      if (key) this.#idempotency.end(key);
    }
  }

  /** Whether the provider is to decide otherwise than it would. */
  takeOutcome(call: {
    provider: Pick<Answering, 'name'>;
    operation: SandboxOperation;
    orderNumber: number | null;
  }): OutcomeKind | null {
    const script = this.#take(
      (each) => 'operation' in each && isOutcome(each.kind) && isAimedAt(each, call.provider.name, call),
    );
    if (!script || !isOutcome(script.kind)) return null;
    this.#note(call.provider.name, call.operation, call.orderNumber, script.kind);
    return script.kind;
  }

  /** What is to go wrong with an event on its way; `share`, 0 up to 1, says how much. */
  nextWebhookFault(event: StormEvent): { kind: WebhookFaultKind; share: number; delayMs: number | null } | null {
    const script = this.#take(
      (each) =>
        'webhook' in each &&
        (each.webhook === 'any' || each.webhook === event.type) &&
        (each.provider === undefined || each.provider === event.provider) &&
        (each.orderNumber === undefined || each.orderNumber === event.orderNumber),
    );
    const scripted = script && 'webhook' in script ? { kind: script.kind, share: 0, delayMs: script.delayMs } : null;
    const due = scripted ?? this.#storm?.nextEvent(event) ?? null;
    if (!due) return null;
    this.#note(event.provider, event.type, event.orderNumber, due.kind);
    return { kind: due.kind, share: due.share, delayMs: scripted?.delayMs ?? null };
  }

  /** Nobody waits any longer. */
  close(): void {
    this.#closing.abort();
  }

  #nextFault(call: SandboxRequest): { kind: FaultKind; delayMs: number; retryAfterSeconds: number } | null {
    const script = this.#take(
      (each) => 'operation' in each && !isOutcome(each.kind) && isAimedAt(each, call.provider.name, call),
    );
    const scripted = script && 'operation' in script && !isOutcome(script.kind) ? script : null;
    const weather = { ...call, provider: call.provider.name };
    const kind = faultKinds.find((each) => each === scripted?.kind) ?? this.#storm?.nextRequest(weather) ?? null;
    if (!kind) return null;
    this.#note(call.provider.name, call.operation, call.orderNumber, kind);
    const delayMs = scripted ? (scripted.delayMs ?? defaultDelayMs) : (this.#storm?.settings.delayMs ?? defaultDelayMs);
    return { kind, delayMs, retryAfterSeconds: scripted?.retryAfterSeconds ?? 1 };
  }

  #take(fits: (script: RequestScript | WebhookScript) => boolean): RequestScript | WebhookScript | null {
    const script = this.#scripts.find(fits);
    if (!script) return null;
    script.times--;
    if (script.times === 0) this.#scripts = this.#scripts.filter((each) => each !== script);
    return script;
  }

  #note(provider: string, operation: string, orderNumber: number | null, kind: string): void {
    this.#met.push({ provider, operation, orderNumber, kind });
  }

  async #pause(delayMs: number): Promise<void> {
    try {
      await sleep(delayMs, undefined, { signal: this.#closing.signal });
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error; // at the end, whoever waits gets the answer at once
    }
  }
}

function isOutcome(kind: string): kind is OutcomeKind {
  return outcomeKinds.some((each) => each === kind);
}

function isAimedAt(
  script: RequestScript | WebhookScript,
  provider: string,
  { operation, orderNumber }: { operation: SandboxOperation; orderNumber: number | null },
): boolean {
  return (
    'operation' in script &&
    (script.operation === 'any' || script.operation === operation) &&
    (script.provider === undefined || script.provider === provider) &&
    (script.orderNumber === undefined || script.orderNumber === orderNumber)
  );
}

export function send(reply: FastifyReply, { status, body, headers = {} }: Answer): FastifyReply {
  reply.status(status).headers(headers);
  if (body === undefined) return reply.send();
  return typeof body === 'string' ? reply.send(body) : reply.type('application/json').send(JSON.stringify(body));
}

function breakConnection(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}

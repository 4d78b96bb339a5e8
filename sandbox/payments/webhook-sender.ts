import type { ProviderName } from './answer.ts';
import type { SandboxFaults } from './faults.ts';
import type { SandboxClock } from './sandbox-clock.ts';
import type { Collection, SandboxStore } from './sandbox-store.ts';

export interface SandboxEvent {
  id: string;
  provider: ProviderName;
  /** The provider's own name of it. */
  type: string;
  orderNumber: number | null;
  /** As it is sent, byte for byte. */
  body: string;
}

export interface KeptEvent extends SandboxEvent {
  /** In the sandbox's time. */
  createdAtMs: number;
  /** `undelivered`: lost, refused to the last try, or nobody to deliver it to. */
  state: 'pending' | 'delivered' | 'undelivered';
  attempts: number;
}

/** The headers that prove where an event comes from. Asked anew for each delivery. */
export type WebhookSigner = (event: SandboxEvent, attempt: number) => Record<string, string>;

export interface WebhookSenderOptions {
  clock: SandboxClock;
  store: SandboxStore;
  faults: SandboxFaults;
  log: (line: Record<string, unknown>, message: string) => void;
  /** The pauses before an event that was not taken goes out again; after the last it is given up. */
  repeatAfterMs?: readonly number[];
}

const answerWithinMs = 5_000;
const usualRepeatAfterMs = [200, 1_000, 5_000, 30_000];
/** One that waits for others to go first, goes when there are none. */
const heldBackAtMostMs = 1_500;

/** Delivers events as the providers do: at least once, in no order, again where nobody said 2xx. */
export class WebhookSender {
  readonly #clock;
  readonly #faults;
  readonly #log;
  readonly #repeatAfterMs: readonly number[];
  readonly #events: Collection<KeptEvent>;
  readonly #signers = new Map<ProviderName, WebhookSigner>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #closing = new AbortController();
  #heldBack: { event: KeptEvent; behind: number }[] = [];
  #underWay = 0;
  #idle: (() => void)[] = [];
  #urls: Partial<Record<ProviderName, string>> = {};

  constructor({ clock, store, faults, log, repeatAfterMs = usualRepeatAfterMs }: WebhookSenderOptions) {
    this.#repeatAfterMs = repeatAfterMs;
    this.#clock = clock;
    this.#faults = faults;
    this.#log = log;
    this.#events = store.collection('events');
  }

  signWith(provider: ProviderName, signer: WebhookSigner): void {
    this.#signers.set(provider, signer);
  }

  sendTo(urls: Partial<Record<ProviderName, string>>): void {
    this.#urls = { ...this.#urls, ...urls };
  }

  /** What a sandbox that was stopped had not delivered yet. */
  resume(): void {
    for (const event of this.#events.values()) if (event.state === 'pending') this.#deliver(event);
  }

  send(event: SandboxEvent): void {
    const kept: KeptEvent = { ...event, createdAtMs: this.#clock.nowMs(), state: 'pending', attempts: 0 };
    this.#events.set(event.id, kept);
    const fault = this.#urls[event.provider] === undefined ? null : this.#faults.nextWebhookFault(event);
    if (this.#urls[event.provider] === undefined || fault?.kind === 'lost') {
      this.#settle(kept, 'undelivered');
      return;
    }
    if (fault?.kind === 'reordered') {
      const held = { event: kept, behind: 1 + Math.floor(fault.share * 3) };
      this.#heldBack.push(held);
      this.#later(heldBackAtMostMs, () => this.#letGo(held));
      return;
    }
    if (fault?.kind === 'delayed') {
      this.#later(fault.delayMs ?? 100 + fault.share * 2_900, () => this.#deliver(kept));
    } else {
      this.#deliver(kept);
      if (fault?.kind === 'doubled') this.#deliver(kept);
    }
    for (const held of this.#heldBack) {
      held.behind--;
      if (held.behind === 0) this.#letGo(held);
    }
  }

  /** Once more, however it went before. */
  redeliver(eventId: string): void {
    const event = this.#events.get(eventId);
    if (!event) throw new Error(`no event ${eventId}`);
    this.#deliver(event);
  }

  /** Oldest first. */
  events(provider?: ProviderName): KeptEvent[] {
    return [...this.#events.values()].filter((event) => provider === undefined || event.provider === provider);
  }

  /** Until nothing is on its way, held back or waiting for its next try. */
  async idle(): Promise<void> {
    if (this.#underWay === 0 && this.#timers.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    await promise;
  }

  close(): void {
    this.#closing.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#heldBack = [];
    this.#sayWhenIdle();
  }

  #letGo(held: { event: KeptEvent; behind: number }): void {
    if (!this.#heldBack.includes(held)) return;
    this.#heldBack = this.#heldBack.filter((each) => each !== held);
    this.#deliver(held.event);
  }

  #deliver(event: KeptEvent, attempt = 0): void {
    this.#underWay++;
    this.#post(event, attempt)
      .then((refusal) => {
        event.attempts++;
        if (refusal === null) return this.#settle(event, 'delivered');
        const pause = this.#repeatAfterMs[attempt];
        this.#log({ provider: event.provider, type: event.type, attempt, refusal }, 'event not delivered');
        if (this.#closing.signal.aborted) return;
        if (pause === undefined) return this.#settle(event, 'undelivered');
        this.#events.set(event.id, event);
        this.#later(pause, () => this.#deliver(event, attempt + 1));
      })
      .catch((error: unknown) => this.#log({ err: String(error) }, 'event could not be sent'))
      .finally(() => {
        this.#underWay--;
        this.#sayWhenIdle();
      });
  }

  /** Null when it was taken, the reason otherwise. */
  async #post(event: KeptEvent, attempt: number): Promise<string | null> {
    const url = this.#urls[event.provider];
    const sign = this.#signers.get(event.provider);
    if (url === undefined || !sign) return 'nobody to send it to';
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8', ...sign(event, attempt) },
        body: event.body,
        redirect: 'manual', // neither provider follows one
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(answerWithinMs)]),
      });
      await response.body?.cancel();
      return response.ok ? null : `status ${response.status}`;
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }

  #settle(event: KeptEvent, state: 'delivered' | 'undelivered'): void {
    if (event.state !== 'delivered') event.state = state; // once taken, it stays taken, whatever becomes of its double
    this.#events.set(event.id, event);
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
      this.#sayWhenIdle();
    }, ms);
    this.#timers.add(timer);
  }

  #sayWhenIdle(): void {
    if (this.#underWay > 0 || this.#timers.size > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle = [];
  }
}

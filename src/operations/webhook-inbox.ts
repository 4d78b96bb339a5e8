import type { DatabasePool } from 'slonik';
import { v7 as uuidv7 } from 'uuid';
import { webhookEventsQueue } from '../../queues/webhook-events.ts';
import { isConflict, isConnectionFault, isRowFault } from '../db/fault.ts';
import { addToOutbox } from '../db/outbox.ts';
import { insertWebhookEvents, type NewWebhookEvent } from '../db/webhook-events.ts';
import { ServiceUnavailableError } from '../domain/errors.ts';
import { GroupCommit } from './group-commit.ts';

export interface WebhookInboxDeps {
  pool: DatabasePool;
  wakeRelay(): void;
}

const maxBatch = 200;

/**
 * Keeps what providers tell us, once each. Those that arrive together are written together, so a flood costs few commits, and each is
 * answered after its own is durable.
 */
export class WebhookInbox {
  readonly #deps: WebhookInboxDeps;
  readonly #group: GroupCommit<NewWebhookEvent, true>;

  constructor(deps: WebhookInboxDeps) {
    this.#deps = deps;
    this.#group = new GroupCommit({
      write: (events) => this.#write(events),
      maxBatch,
      keyOf: ({ provider, event }) => `${provider} ${event.id}`,
      isItemFault: isRowFault,
    });
  }

  /** Resolves once it is stored, now or earlier. */
  async keep(event: Omit<NewWebhookEvent, 'id'>): Promise<void> {
    await this.#group.submit({ id: uuidv7(), ...event });
  }

  settle(): Promise<void> {
    return this.#group.settle();
  }

  async #write(events: NewWebhookEvent[]): Promise<true[]> {
    try {
      await this.#deps.pool.transaction(async (transaction) => {
        const fresh = await insertWebhookEvents(transaction, events);
        const jobs = fresh.map((webhookEventId) => ({ webhookEventId, tries: 0 }));
        if (jobs.length > 0) await addToOutbox(transaction, webhookEventsQueue.name, jobs);
      });
    } catch (error) {
      // The provider delivers it again; what was stored after all is recognised then.
      if (isConnectionFault(error) || isConflict(error)) throw new ServiceUnavailableError('The database', error);
      throw error;
    }
    this.#deps.wakeRelay();
    return events.map(() => true as const);
  }
}

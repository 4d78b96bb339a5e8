import type { QueueStore } from '../queues/backend.ts';
import { paymentCaptureQueue } from '../queues/payment-capture.ts';
import type { PaymentJob } from '../queues/payment-job.ts';
import { paymentSyncQueue } from '../queues/payment-sync.ts';
import { webhookEventsQueue } from '../queues/webhook-events.ts';
import { findPayment } from '../src/db/payments.ts';
import type { Logger } from '../src/log.ts';
import { handleWebhookEvent } from '../src/operations/handle-webhook-event.ts';
import type { PaymentDeps } from '../src/operations/payment-deps.ts';
import { PaymentStuckError, settlePayment } from '../src/operations/settle-payment.ts';
import { ProviderError } from '../src/payments/payment-gateway.ts';
import { type JobOutcome, startJobWorker } from './job-worker.ts';

export type PaymentWorkersDeps = PaymentDeps & { store: QueueStore; log: Logger };

const atOnce = 10;
/** Another process is at this payment. If it dies, its lease ends and this job goes on. */
const takenMs = 1_000;

/** The workers of the money: looks at payments, captures, and what providers told us. */
export function startPaymentWorkers(deps: PaymentWorkersDeps): { close(): Promise<void> } {
  const work = { store: deps.store, log: deps.log, judge: judgePaymentFailure };
  const look = async (
    { paymentId, syncNo }: PaymentJob,
    { isRetriedByHand }: { isRetriedByHand: boolean },
  ): Promise<JobOutcome> => {
    const payment = await findPayment(deps.pool, paymentId);
    if (!payment || (payment.syncedNo >= syncNo && !isRetriedByHand)) return 'done'; // a look that began later has seen it
    const outcome = await settlePayment(deps, paymentId, { isRetriedByHand });
    return outcome === 'taken' ? { again: 'later', inMs: takenMs } : 'done';
  };
  const workers = [
    startJobWorker(work, paymentSyncQueue, atOnce, look),
    startJobWorker(work, paymentCaptureQueue, atOnce, look),
    startJobWorker(work, webhookEventsQueue, atOnce, async ({ webhookEventId }) => {
      await handleWebhookEvent(deps, webhookEventId);
      return 'done';
    }),
  ];
  return {
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

/** The edge where what a provider says becomes what a queue does. */
export function judgePaymentFailure(error: unknown): { isFinal: boolean; retryAfterMs: number | null } {
  if (error instanceof PaymentStuckError) return { isFinal: true, retryAfterMs: null };
  if (!(error instanceof ProviderError)) return { isFinal: false, retryAfterMs: null };
  const isFinal = error.kind === 'declined' || error.kind === 'refused';
  return { isFinal, retryAfterMs: error.retryAfterMs };
}

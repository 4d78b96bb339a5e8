import { backupQueue } from './backup.ts';
import { emailQueue } from './email.ts';
import { housekeepingQueue } from './housekeeping.ts';
import { ordersNormalQueue } from './orders-normal.ts';
import { ordersVipQueue } from './orders-vip.ts';
import { paymentCaptureQueue } from './payment-capture.ts';
import { paymentSyncQueue } from './payment-sync.ts';
import { receiptQueue } from './receipt.ts';
import { webhookEventsQueue } from './webhook-events.ts';

/** What a transaction may make due: the outbox hands it over. */
export const outboxQueues = [
  ordersVipQueue,
  ordersNormalQueue,
  paymentCaptureQueue,
  paymentSyncQueue,
  webhookEventsQueue,
  receiptQueue,
  emailQueue,
  backupQueue,
] as const;

/** Every queue there is: what Bull Board shows. */
export const allQueues = [...outboxQueues, housekeepingQueue] as const;

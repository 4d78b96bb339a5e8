import { createHmac } from 'node:crypto';
import { type Handler, OrderRefusedError } from './handler.ts';

export interface HttpHandlerSettings {
  url: string;
  /** Signs the body: `x-twolane-signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. */
  secret: string;
  timeoutMs: number;
}

/** These say «not now», or that we are set up wrongly, which is no fault of the order; any other 4xx says «never». */
const retryableStatuses = new Set([401, 403, 408, 409, 425, 429]);

/**
 * Posts the order to a URL of the shop's own system; a 2xx answer means it is done. `Idempotency-Key` is the same for every
 * repeat of one attempt. Aborting the order closes the connection.
 */
export function createHttpHandler({ url, secret, timeoutMs }: HttpHandlerSettings): Handler {
  return {
    expectedMs: null,
    needsOrder: true,
    async run(order, { signal, botNumber }) {
      const body = JSON.stringify({ order, botNumber });
      const seconds = Math.floor(Date.now() / 1000);
      const response = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'error',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': `order-${order.number}-attempt-${order.attempt}`,
          'x-twolane-signature': `t=${seconds},v1=${signBody(secret, seconds, body)}`,
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      if (response.ok) return;
      const refusal = `the handler answered ${response.status}`;
      if (response.status >= 400 && response.status < 500 && !retryableStatuses.has(response.status))
        throw new OrderRefusedError(refusal);
      throw new Error(refusal);
    },
  };
}

export function signBody(secret: string, seconds: number, body: string): string {
  return createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
}

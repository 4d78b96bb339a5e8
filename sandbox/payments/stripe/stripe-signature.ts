import { createHmac } from 'node:crypto';
import type { WebhookSigner } from '../webhook-sender.ts';

/** By our host's clock, not by the sandbox's: whoever checks the age has that one. */
export function stripeSigner(secret: string): WebhookSigner {
  return ({ body }) => {
    const seconds = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
    return { 'stripe-signature': `t=${seconds},v1=${signature}`, 'user-agent': 'Stripe/1.0 (sandbox)' };
  };
}

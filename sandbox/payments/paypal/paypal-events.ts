import type { SandboxContext } from '../sandbox-provider.ts';
import { type EventSource, orderNumberOf, type PayPalEventType } from './paypal-objects.ts';
import {
  amountText,
  authorisationJson,
  captureJson,
  orderJson,
  refundJson,
  type Wire,
} from './paypal-representations.ts';

const upperCase = '0123456789ABCDEFGHJKLMNPQRSTUVWXYZ';

/** Tells the engine, in the state the object is in now. */
export function announceEvent(
  { ids, webhooks, clock, baseUrl }: Pick<SandboxContext, 'ids' | 'webhooks' | 'clock' | 'baseUrl'>,
  wire: Wire,
  type: PayPalEventType,
  source: EventSource,
): void {
  const id = `${ids.next('WH-', 17, upperCase)}-${ids.next('', 17, upperCase)}`;
  const self = `${baseUrl()}/v1/notifications/webhooks-events/${id}`;
  const { kind, amount, resource, orderId } = resourceOf(wire, source);
  const order = wire.account.objects.orders.get(orderId);
  const event = {
    id,
    event_version: '1.0',
    create_time: clock.toWire(clock.nowMs()).toISOString(),
    resource_type: kind,
    resource_version: '2.0',
    event_type: type,
    summary: `${type.split('.').slice(1).join(' ').toLowerCase()}: ${amountText(amount)}`,
    resource,
    links: [
      { href: self, rel: 'self', method: 'GET' },
      { href: `${self}/resend`, rel: 'resend', method: 'POST' },
    ],
  };
  const orderNumber = order ? orderNumberOf(order) : null;
  webhooks.send({ id, provider: 'paypal', type, orderNumber, body: JSON.stringify(event) });
}

function resourceOf(wire: Wire, source: EventSource) {
  if ('order' in source) {
    const { order } = source;
    return { kind: 'checkout-order', resource: orderJson(wire, order), amount: order.amount, orderId: order.id };
  }
  if ('authorisation' in source) {
    const { authorisation } = source;
    return { kind: 'authorization', resource: authorisationJson(wire, authorisation), ...authorisation };
  }
  if ('capture' in source) return { kind: 'capture', resource: captureJson(wire, source.capture), ...source.capture };
  return { kind: 'refund', resource: refundJson(wire, source.refund), ...source.refund };
}

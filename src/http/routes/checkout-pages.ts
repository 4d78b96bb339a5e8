import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findOrder } from '../../db/orders.ts';
import { findPaymentOfOrder, type Payment } from '../../db/payments.ts';
import { OrderNotFoundError } from '../../domain/errors.ts';
import { orderNumberSchema } from '../../domain/order.ts';
import { orderStatusSchema } from '../../domain/order-status.ts';
import { paymentStatusSchema } from '../../domain/payment.ts';
import { lookAfterReturn } from '../../operations/look-after-return.ts';
import type { AppDeps } from '../app-deps.ts';
import { checkoutPage, type ReturnedOrder, type ReturnWay, unknownOrderPage } from '../checkout-page.ts';

/** Not strict: providers add names of their own, `token` and `PayerID`. */
const query = z.object({
  order: z.string().max(20).optional().describe('The number of the order'),
  round: z.string().max(10).optional().describe('How many times the page has looked again by itself'),
});

const returnedSchema = z.object({
  order: z.object({
    number: orderNumberSchema,
    status: orderStatusSchema,
    payment: z.object({ status: paymentStatusSchema }),
  }),
});

const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const summaries: Record<ReturnWay, string> = {
  success: 'Where an order stands whose customer has paid',
  cancel: 'Where an order stands whose customer came back without paying',
};

/**
 * Where customers come back to. The way they come by proves nothing, so these show what is known and change nothing; after paying the
 * provider is asked. Numbers can be guessed, so whoever does sees how an order and its payment stand: no name, no amount, no way to pay.
 */
export async function checkoutPageRoutes(
  scope: FastifyInstance,
  { config, database: { pool }, wakeRelay }: AppDeps,
): Promise<void> {
  const shopName = config.mail.shop.name;
  const app = scope.withTypeProvider<ZodTypeProvider>();
  for (const way of ['success', 'cancel'] as const) {
    app.get(
      `/v1/checkout/${way}`,
      {
        config: {
          access: 'public',
          problems: ['order_not_found'],
          answers: { 200: 'The order as it is now. A browser, which accepts `text/html`, gets a page.' },
        },
        schema: {
          operationId: way === 'success' ? 'showPaidReturn' : 'showUnpaidReturn',
          tags: ['Payments and hooks'],
          summary: summaries[way],
          description:
            'Of an order that is paid online, to whoever has its number. It changes nothing, and says nothing of who ordered what.',
          querystring: query,
          response: { 200: returnedSchema },
        },
      },
      async (request, reply) => {
        const payment = await findReturned(request.query.order);
        const wantsPage = acceptsPage(request);
        void reply.header('vary', 'Accept');
        if (!payment) {
          if (wantsPage) return sendPage(reply, 404, unknownOrderPage(shopName));
          throw new OrderNotFoundError(0);
        }
        if (way === 'success') await lookAfterReturn({ pool, wakeRelay }, payment);
        const order = returnedOrder(payment);
        if (!wantsPage) return { order };
        const failureReason = order.status === 'cancelled' ? await findReason(order.number) : null;
        return sendPage(
          reply,
          200,
          checkoutPage(way, { ...order, failureReason }, { round: roundOf(request.query.round), shopName }),
        );
      },
    );
  }

  async function findReturned(number: string | undefined): Promise<Payment | null> {
    return /^\d{1,15}$/.test(number ?? '') ? findPaymentOfOrder(pool, Number(number)) : null;
  }

  async function findReason(number: number): Promise<string | null> {
    return (await findOrder(pool, number))?.order.failureReason ?? null;
  }
}

const acceptsPage = ({ headers: { accept } }: FastifyRequest) => /text\/html/i.test(accept ?? '');

/** Whatever else stands there, the page begins to count anew. */
const roundOf = (text: string | undefined) => (/^\d{1,4}$/.test(text ?? '') ? Number(text) : 0);

/** A page has no schema. */
function sendPage(reply: FastifyReply, status: number, html: string): never {
  return reply
    .code(status)
    .header('content-security-policy', pagePolicy)
    .type('text/html; charset=utf-8')
    .send(html) as never;
}

const returnedOrder = ({ orderNumber, orderStatus, status }: Payment): Omit<ReturnedOrder, 'failureReason'> => ({
  number: orderNumber,
  status: orderStatus,
  payment: { status },
});

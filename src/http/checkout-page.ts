import type { OrderStatus } from '../domain/order-status.ts';
import type { PaymentStatus } from '../domain/payment.ts';
import { inHtml, nameplate, page } from './page.ts';

/** Which way the customer came back: after paying, or without. */
export type ReturnWay = 'success' | 'cancel';

export interface ReturnedOrder {
  number: number;
  status: OrderStatus;
  /** Why it was cancelled or has failed. */
  failureReason: string | null;
  payment: { status: PaymentStatus };
}

interface Words {
  tone: 'waiting' | 'good' | 'bad';
  heading: string;
  text: string;
  /** It may be otherwise in a moment, or when a bot is done; the page then looks again by itself. */
  passes?: 'in a moment' | 'in a while';
  /** The board shows the order from here on. */
  isOnBoard?: true;
}

/** What a customer is told who is back: where the order stands, never more than its number gives away. */
export function wordsFor(way: ReturnWay, { number, status, failureReason, payment }: ReturnedOrder): Words {
  switch (status) {
    case 'awaiting_payment':
      return wordsWhileUnpaid(way, payment.status);
    case 'pending':
      return {
        tone: 'good',
        heading: 'Thank you',
        text: `Your order is paid and in the queue. Your number is ${number}.`,
        passes: 'in a while',
        isOnBoard: true,
      };
    case 'processing':
      return {
        tone: 'good',
        heading: 'In the making',
        text: 'Your order is paid, and a bot is at it.',
        passes: 'in a while',
        isOnBoard: true,
      };
    case 'complete':
      return wordsOfTheComplete(payment.status);
    case 'failed':
      return {
        tone: 'bad',
        heading: 'Held up',
        text: 'Your order is paid, and something went wrong with it. The shop sees it and decides how it goes on.',
      };
    case 'cancelled':
      return wordsOfTheCancelled(payment.status, failureReason);
  }
}

function wordsOfTheComplete(payment: PaymentStatus): Words {
  if (payment === 'refunded')
    return {
      tone: 'waiting',
      heading: 'Money given back',
      text: 'Your order was complete, and all your money was given back. Your bank may need some days to show it.',
    };
  const more = payment === 'partially_refunded' ? ' A part of your money was given back.' : '';
  return { tone: 'good', heading: 'Ready', text: `Your order is complete.${more}`, isOnBoard: true };
}

function wordsWhileUnpaid(way: ReturnWay, payment: PaymentStatus): Words {
  if (payment === 'authorised' || payment === 'captured')
    return {
      tone: 'waiting',
      heading: 'One moment',
      text: 'Your payment has arrived and is being checked. This page looks again by itself.',
      passes: 'in a moment',
    };
  if (way === 'success')
    return {
      tone: 'waiting',
      heading: 'One moment',
      text: 'We are waiting to hear that your payment went through. This page looks again by itself.',
      passes: 'in a moment',
    };
  return {
    tone: 'bad',
    heading: 'Not paid yet',
    text: 'You came back without paying, and nothing was taken. Your order waits for a while: go back to the tab where you were to pay, or ask for the checkout anew in the shop.',
  };
}

function wordsOfTheCancelled(payment: PaymentStatus, failureReason: string | null): Words {
  const heading = 'Cancelled';
  switch (payment) {
    case 'authorised':
    case 'voided':
      return {
        tone: 'bad',
        heading,
        text: 'Nothing was taken. What your bank has set aside for this order is let go; it may show it for some days.',
      };
    case 'captured':
    case 'partially_refunded':
      return { tone: 'bad', heading, text: 'Your money is on its way back to you.' };
    case 'refunded':
      return { tone: 'bad', heading, text: 'Your money was given back. Your bank may need some days to show it.' };
    default:
      if (failureReason === 'payment_declined')
        return {
          tone: 'bad',
          heading: 'Payment declined',
          text: 'Your payment was declined, and nothing was taken. To try again, perhaps in another way, place the order anew.',
        };
      return {
        tone: 'bad',
        heading: 'Not paid',
        text: 'This order was not paid, and nothing was taken. To try again, place it anew.',
      };
  }
}

/** Every two seconds for a minute; who has been gone for longer is not in a hurry. */
const hurriedRounds = 30;

function refreshSeconds(passes: 'in a moment' | 'in a while', round: number): number {
  if (passes === 'in a while') return 10;
  return round < hurriedRounds ? 2 : 15;
}

/** `round`: how many times the page has looked again by itself. Without a script, so that it lives with a strict content security policy. */
export function checkoutPage(
  way: ReturnWay,
  order: ReturnedOrder,
  { round, shopName }: { round: number; shopName: string },
): string {
  const { tone, heading, text, passes, isOnBoard } = wordsFor(way, order);
  return returnedPage(shopName, {
    title: `Order ${order.number}: ${heading.toLowerCase()}`,
    tone,
    head: passes
      ? `<meta http-equiv="refresh" content="${refreshSeconds(passes, round)};url=?order=${order.number}&amp;round=${round + 1}">`
      : '',
    label: `<p class="label">Your order</p>\n      <p class="number">${order.number}</p>`,
    heading,
    text,
    link: isOnBoard ? '<a href="/">See it on the board</a>' : '',
  });
}

export const unknownOrderPage = (shopName: string) =>
  returnedPage(shopName, {
    title: 'No such order',
    tone: 'bad',
    head: '',
    label: '',
    heading: 'No such order',
    text: 'There is no order with this number that was to be paid online. Look at the number once more, or ask at the counter.',
    link: '<a href="/">To the board</a>',
  });

interface ReturnedParts {
  title: string;
  tone: Words['tone'];
  head: string;
  label: string;
  heading: string;
  text: string;
  link: string;
}

/** All words are ours and numbers are numbers: nothing here comes from a request. */
function returnedPage(shopName: string, { title, tone, head, label, heading, text, link }: ReturnedParts): string {
  return page({
    title: `${title} · ${inHtml(shopName)}`,
    stylesheet: 'checkout.css',
    head,
    top: [nameplate(inHtml(shopName))],
    main: {
      attributes: `class="returned" data-tone="${tone}"`,
      elements: [label, `<h1>${heading}</h1>`, `<p>${text}</p>`, link && `<p class="way-on">${link}</p>`],
    },
  });
}

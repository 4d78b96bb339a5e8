import type { FastifyInstance } from 'fastify';
import { escapeHtml, pathOf, providerNames, sendHtml } from './checkout-page.ts';
import type { LedgerEntry, SandboxLedger } from './ledger.ts';
import type { CheckoutDescription, SandboxProvider } from './sandbox-provider.ts';
import { isoText } from './stripe/stripe-currency.ts';

const shownEntries = 100;

/** The sandbox for people: what it is, where something can be paid, and what became of the money. */
export function overviewRoutes(
  app: FastifyInstance,
  ledger: SandboxLedger,
  providers: readonly SandboxProvider[],
): void {
  app.get('/', (_, reply) => sendHtml(reply, page(ledger.entries().slice(-shownEntries).reverse(), providers)));
}

function page(entries: readonly LedgerEntry[], providers: readonly SandboxProvider[]): string {
  const open = providers.flatMap((provider) =>
    provider.openCheckouts().map((checkout) => checkoutRow(provider, checkout)),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>twolane payment sandbox</title>
<link rel="stylesheet" href="/sandbox/checkout.css">
</head>
<body>
<main class="wide">
<p class="sandbox">Sandbox. No money moves here.</p>
<h1>Payment sandbox</h1>
<p>It stands in for Stripe and PayPal, over their real wire. Place an order that is paid online and it waits here for its customer, who is you.</p>
<h2>Open checkouts</h2>
${open.length > 0 ? table(['Order', 'Amount', 'Provider', 'Reference'], open) : '<p>No checkout is open.</p>'}
<h2>What became of the money</h2>
${entries.length > 0 ? table(['At', 'Order', 'What', 'Amount', 'Provider', 'Reference'], entries.map(ledgerRow)) : '<p>Nothing yet.</p>'}
<p>The newest ${shownEntries} are shown. For programs: <a href="/sandbox/checkouts">checkouts</a>, <a href="/sandbox/ledger">ledger</a>, <a href="/sandbox/events">events</a>, <a href="/sandbox/faults">faults</a>.</p>
</main>
</body>
</html>
`;
}

function checkoutRow(provider: SandboxProvider, { reference, orderNumber, amountText }: CheckoutDescription): string[] {
  const link = `<a href="${pathOf(provider, reference)}">${orderText(orderNumber)}</a>`;
  return [link, escapeHtml(amountText), providerNames[provider.name], escapeHtml(reference)];
}

function ledgerRow({ at, provider, kind, orderNumber, reference, amountMinor, currency }: LedgerEntry): string[] {
  const time = `${at.slice(0, 19).replace('T', ' ')}Z`;
  const amount = escapeHtml(isoText(amountMinor, currency));
  return [time, orderText(orderNumber), kind, amount, providerNames[provider], escapeHtml(reference)];
}

const orderText = (number: number | null) => (number === null ? 'An order' : `Order ${number}`);

/** Of cells that are HTML already. */
function table(headings: readonly string[], rows: readonly string[][]): string {
  const head = headings.map((heading) => `<th>${heading}</th>`).join('');
  const body = rows.map((cells) => `<tr>\n${cells.map((cell) => `<td>${cell}</td>`).join('\n')}\n</tr>`);
  return `<table>\n<tr>${head}</tr>\n${body.join('\n')}\n</table>`;
}

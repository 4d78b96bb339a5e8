import type { FastifyInstance, FastifyReply } from 'fastify';
import { CheckoutClosedError, type CheckoutDescription, type SandboxProvider } from './sandbox-provider.ts';

export const providerNames = { stripe: 'Stripe', paypal: 'PayPal' };

/** The page where a customer would pay: buttons for what they might do, and no script. */
export function checkoutRoutes(app: FastifyInstance, providers: readonly SandboxProvider[]): void {
  app.get('/sandbox/checkout.css', (_, reply) => reply.type('text/css').send(style));

  app.get<{ Params: PageParams; Querystring: { declined?: string } }>(
    '/sandbox/checkout/:provider/:reference',
    (request, reply) => {
      const found = findCheckout(providers, request.params);
      if (!found) return sendUnknown(reply);
      return sendPage(reply, found.provider, found.checkout, { isDeclined: request.query.declined !== undefined });
    },
  );

  app.post<{ Params: PageParams & { choice: string } }>(
    '/sandbox/checkout/:provider/:reference/:choice',
    (request, reply) => {
      const found = findCheckout(providers, request.params);
      if (!found) return sendUnknown(reply);
      const { provider, checkout } = found;
      const { reference } = checkout;
      try {
        if (request.params.choice === 'pay') {
          provider.pay(reference);
          // asked anew: what is added to the URL may depend on the payment
          return reply.redirect(provider.describeCheckout(reference)?.successUrl ?? checkout.successUrl, 303);
        }
        if (request.params.choice === 'cancel') {
          provider.cancel(reference);
          return reply.redirect(checkout.cancelUrl, 303);
        }
        if (request.params.choice === 'decline') {
          provider.decline(reference);
          const now = provider.describeCheckout(reference) ?? checkout;
          // with PayPal the customer goes back as if all were well, and the shop is told when it asks for the money
          if (now.state !== 'open') return reply.redirect(now.successUrl, 303);
          return reply.redirect(`${pathOf(provider, reference)}?declined`, 303);
        }
        return sendUnknown(reply);
      } catch (error) {
        if (!(error instanceof CheckoutClosedError)) throw error;
        return reply.redirect(pathOf(provider, reference), 303);
      }
    },
  );
}

interface PageParams {
  provider: string;
  reference: string;
}

function findCheckout(providers: readonly SandboxProvider[], { provider: name, reference }: PageParams) {
  const provider = providers.find((each) => each.name === name);
  const checkout = provider?.describeCheckout(reference) ?? null;
  return provider && checkout ? { provider, checkout } : null;
}

export function pathOf(provider: SandboxProvider, reference: string): string {
  return `/sandbox/checkout/${provider.name}/${encodeURIComponent(reference)}`;
}

function sendPage(
  reply: FastifyReply,
  provider: SandboxProvider,
  checkout: CheckoutDescription,
  { isDeclined }: { isDeclined: boolean },
) {
  // a browser holds the redirect after a form to `form-action` too
  const targets = ["'self'", originOf(checkout.successUrl), originOf(checkout.cancelUrl)];
  return sendHtml(reply, page(provider, checkout, isDeclined && checkout.state === 'open'), targets);
}

/** A page without a script, whose forms lead to these origins. */
export function sendHtml(reply: FastifyReply, html: string, formTargets: readonly string[] = ["'none'"]) {
  return reply
    .headers({
      'content-security-policy': `default-src 'none'; style-src 'self'; form-action ${[...new Set(formTargets)].join(' ')}; base-uri 'none'; frame-ancestors 'none'`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    .type('text/html; charset=utf-8')
    .send(html);
}

function sendUnknown(reply: FastifyReply) {
  return reply.status(404).type('text/plain; charset=utf-8').send('The sandbox knows no such checkout.\n');
}

function page(provider: SandboxProvider, checkout: CheckoutDescription, isDeclined: boolean): string {
  const action = pathOf(provider, checkout.reference);
  const shop = URL.canParse(checkout.successUrl) ? new URL(checkout.successUrl).host : 'the shop';
  const order = checkout.orderNumber === null ? 'Your order' : `Order ${checkout.orderNumber}`;
  const heading = `${order} · ${escapeHtml(checkout.amountText)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${heading} · sandbox checkout</title>
<link rel="stylesheet" href="/sandbox/checkout.css">
</head>
<body>
<main>
<p class="sandbox">Sandbox. No money moves here.</p>
<h1>${heading}</h1>
<p class="provider">to ${escapeHtml(shop)}, by what stands in for ${providerNames[provider.name]}</p>
${isDeclined ? '<p class="notice" role="alert">The card was declined. Nothing was taken.</p>' : ''}
${checkout.state === 'open' ? buttons(action) : ended(checkout)}
</main>
</body>
</html>
`;
}

function buttons(action: string): string {
  return `<form method="post" action="${action}/pay"><button class="pay">Pay</button></form>
<form method="post" action="${action}/decline"><button>Card is declined</button></form>
<form method="post" action="${action}/cancel"><button class="back">Back to the shop</button></form>`;
}

function ended({ state, successUrl, cancelUrl }: CheckoutDescription): string {
  const said = state === 'expired' ? 'This checkout is over. Nothing can be paid here any more.' : 'This is done.';
  const back = state === 'expired' ? cancelUrl : successUrl;
  const link = /^https?:/.test(back) ? `<p><a href="${escapeHtml(back)}">Back to the shop</a></p>` : '';
  return `<p>${said}</p>\n${link}`;
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "'self'";
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif; }
body { grid-template-columns: minmax(0, auto); margin: 0; display: grid; min-height: 100vh; place-items: center; background: Canvas; color: CanvasText; }
main { box-sizing: border-box; width: min(100%, 26rem); padding: 1.5rem; }
main.wide { width: min(100%, 60rem); place-self: start center; }
h1 { font-size: 2rem; line-height: 1.2; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; }
.sandbox { padding: .5rem .75rem; border-radius: .5rem; background: #ffe9a8; color: #4a3600; font-weight: 600; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: .375rem .75rem .375rem 0; border-bottom: 1px solid #8884; text-align: start; }
td:last-child { overflow-wrap: anywhere; }
.provider { opacity: .7; margin-bottom: 1.5rem; }
.notice { padding: .5rem .75rem; border-radius: .5rem; background: #ffd9d6; color: #6b0f0a; }
button { font: inherit; width: 100%; min-height: 3rem; margin: .375rem 0; border: 1px solid #8888; border-radius: .5rem; background: transparent; color: inherit; cursor: pointer; }
button.pay { border-color: transparent; background: #1a6b3c; color: #fff; font-weight: 600; }
button.back { border-color: transparent; text-decoration: underline; }
button:focus-visible, a:focus-visible { outline: 3px solid #2a6df4; outline-offset: 2px; }
`;

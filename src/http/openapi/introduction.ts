import { sampleEmails, samplePassword } from '../../domain/user.ts';

/** The head of the document. */
export const introduction = {
  title: 'twolane',
  version: '1',
  description: `An order-processing engine with a fast lane.

- JSON in and out, camelCase; an absent fact is \`null\`. Times are UTC, ISO 8601 with milliseconds.
- Money is a whole number of the minor unit of its currency: \`{ "amountMinor": 1250, "currency": "EUR" }\` is 12.50 €.
- Unknown fields in a body are refused.
- Every fault is \`application/problem+json\` (RFC 9457) with a stable \`code\`. Before a route is known: 404 \`route_not_found\`, 414
  where the URL is too long, 431 where the headers are too large, 408 where the request came too slowly, 400 where it is no HTTP.
- 429 and 503 say in \`Retry-After\` when to come back.
- Sign in by \`POST /v1/auth/login\` and send the access token as \`Authorization: Bearer …\`.`,
  license: { name: 'MIT', identifier: 'MIT' },
};

/** Of the demo alone: whom a reader may sign in as. */
export const demoIntroduction = `

**In the demo** sign in as ${sampleEmails.map((email) => `\`${email}\``).join(', ')}, each with the password
\`${samplePassword}\`. The admin is \`admin\`, with the same password
unless the server was given another.`;
export const demoSignIn = { email: sampleEmails[0], password: samplePassword };

export const tags = [
  { name: 'Accounts', description: 'Register, sign in, stay signed in, change the password, sign out.' },
  { name: 'Catalogue', description: 'What can be ordered.' },
  { name: 'Orders', description: 'Place orders and see how far they are.' },
  { name: 'Bots', description: 'Those who do the orders: VIP first, each lane first in, first out.' },
  { name: 'Robots', description: 'A robot of one’s own takes orders over HTTP, by the same lanes as the bots.' },
  { name: 'Board', description: 'What everybody may see, whole and as it changes.' },
  {
    name: 'Payments and hooks',
    description: 'Where customers come back to after they have paid, and what payment providers tell.',
  },
  { name: 'Administration', description: 'For whoever runs the engine.' },
  { name: 'Service', description: 'For whatever watches the process, and this document.' },
];

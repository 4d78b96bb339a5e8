import { sampleEmails, samplePassword } from '../../src/domain/user.ts';
import { type DemoEnvironment, demoAdmin } from './environment.ts';
import { paymentKeysText } from './payment-sandbox.ts';

/**
 * The last words of a start: where everything is, and who to be there. Without a private database there are no samples; without a
 * sandbox payments are real.
 */
export function demoBanner(
  demo: DemoEnvironment,
  {
    dataDir,
    sandboxUrl,
    isMailCaught,
  }: { dataDir: string | undefined; sandboxUrl: string | undefined; isMailCaught: boolean },
) {
  const { url, variables } = demo;
  const hasSamples = dataDir !== undefined;
  const { ADMIN_USERNAME: username = '', ADMIN_PASSWORD: password } = variables;
  const admin = password === demoAdmin.password ? `${username} / ${password}` : `${username} and your ADMIN_PASSWORD`;
  const urls = {
    board: `${url}/`,
    docs: `${url}/docs`,
    queues: `${url}/admin/queues`,
    readiness: `${url}/readyz`,
    backups: `${url}/admin/backups`,
    ...(sandboxUrl && { payments: sandboxUrl }),
    ...(isMailCaught && { mail: `${url}/dev/mail` }),
  };
  const details = [
    `  Board       ${urls.board}`,
    `  API         ${urls.docs}   (every call, to read and to try)`,
    `  Queues      ${urls.queues}   (${admin})`,
    `  Readiness   ${urls.readiness}`,
    sandboxUrl
      ? `  Payments    ${sandboxUrl}/   (a sandbox for Stripe and PayPal: no money moves)`
      : `  Payments    ${paymentKeysText(demo)}`,
    isMailCaught
      ? `  Mails       ${url}/dev/mail   (caught here: none goes out)`
      : `  Mails       by ${variables.SMTP_HOST}`,
    `  Backups     ${urls.backups}   (${admin})`,
    '',
    ...(hasSamples
      ? [
          `  Accounts    ${sampleEmails.join('  ')}`,
          `  Password    ${samplePassword}   (of all four; the board's sign-in has a button for each)`,
          '',
        ]
      : ['  Accounts    npx twolane users add E-MAIL --name NAME --role MANAGER', '']),
    `  Ctrl-C stops everything${dataDir ? `; the data stay in ${dataDir}` : ''}.`,
  ];
  return {
    message: `twolane is ready on ${url}`,
    fields: { urls, ...(hasSamples && { accounts: sampleEmails, password: samplePassword }) },
    details: details.join('\n'),
  };
}

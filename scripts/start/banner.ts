import { type DemoEnvironment, demoAdmin } from './environment.ts';

const sampleAccounts = ['normal@twolane.test', 'vip@twolane.test', 'manager@twolane.test', 'bot@twolane.test'];
const samplePassword = 'twolane-demo';

/** The last words of a start: where everything is, and who to be there. Without a private database there are no samples. */
export function demoBanner({ url, variables }: DemoEnvironment, dataDir: string | undefined) {
  const hasSamples = dataDir !== undefined;
  const { ADMIN_USERNAME: username = '', ADMIN_PASSWORD: password } = variables;
  const admin = password === demoAdmin.password ? `${username} / ${password}` : `${username} and your ADMIN_PASSWORD`;
  const urls = { board: `${url}/`, api: `${url}/v1/board`, queues: `${url}/admin/queues`, readiness: `${url}/readyz` };
  const details = [
    `  Board       ${urls.board}`,
    `  API         ${url}/v1/…   (${urls.api} needs no account)`,
    `  Queues      ${urls.queues}   (${admin})`,
    `  Readiness   ${urls.readiness}`,
    '',
    ...(hasSamples
      ? [
          `  Accounts    ${sampleAccounts.join('  ')}`,
          `  Password    ${samplePassword}   (for sign-in, which comes next)`,
          '',
        ]
      : []),
    `  Ctrl-C stops everything${dataDir ? `; the data stay in ${dataDir}` : ''}.`,
  ];
  return {
    message: `twolane is ready on ${url}`,
    fields: { urls, ...(hasSamples && { accounts: sampleAccounts, password: samplePassword }) },
    details: details.join('\n'),
  };
}

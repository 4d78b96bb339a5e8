/** What an engine shows to be let in, and what events are signed with. Both sides have to agree on them. */
export interface SandboxKeys {
  stripeSecretKey: string;
  stripeWebhookSecret: string;
  paypalClientId: string;
  paypalClientSecret: string;
  paypalWebhookId: string;
}

/** Good for nothing outside the sandbox, which is why they may stand here. */
export const defaultKeys: SandboxKeys = {
  stripeSecretKey: 'sk_test_sandbox_of_twolane',
  stripeWebhookSecret: 'whsec_sandbox_of_twolane',
  paypalClientId: 'sandbox-client-of-twolane',
  paypalClientSecret: 'sandbox-secret-of-twolane',
  paypalWebhookId: 'WH-SANDBOX-OF-TWOLANE',
};

/** Those that the environment sets, under the names by which the engine knows them. */
export function readKeys(environment: NodeJS.ProcessEnv): Partial<SandboxKeys> {
  const names = {
    stripeSecretKey: 'STRIPE_SECRET_KEY',
    stripeWebhookSecret: 'STRIPE_WEBHOOK_SECRET',
    paypalClientId: 'PAYPAL_CLIENT_ID',
    paypalClientSecret: 'PAYPAL_CLIENT_SECRET',
    paypalWebhookId: 'PAYPAL_WEBHOOK_ID',
  } satisfies Record<keyof SandboxKeys, string>;
  return Object.fromEntries(
    Object.entries(names).flatMap(([key, name]) => (environment[name] ? [[key, environment[name]]] : [])),
  );
}

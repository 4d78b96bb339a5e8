import {
  ApiError,
  Client,
  Environment,
  OrdersController,
  PaymentsController,
  TransactionSearchController,
} from '@paypal/paypal-server-sdk';

export interface PayPalSdk {
  client: Client;
  orders: OrdersController;
  payments: PaymentsController;
  search: TransactionSearchController;
  /** A plain request with the SDK's own token. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** PayPal's own SDK, sent to a sandbox: it has no setting for that. */
export function openPayPalSdk(settings: Record<string, string>): PayPalSdk {
  const base = settings.PAYPAL_API_BASE ?? '';
  class SandboxClient extends Client {
    override getRequestBuilderFactory() {
      const build = super.getRequestBuilderFactory();
      return (...args: Parameters<typeof build>) => {
        const builder = build(...args);
        builder.interceptRequest((request) => ({ ...request, url: request.url.replace(/^https:\/\/[^/]+/, base) }));
        return builder;
      };
    }
  }
  const client = new SandboxClient({
    environment: Environment.Sandbox,
    timeout: 5_000,
    clientCredentialsAuthCredentials: {
      oAuthClientId: settings.PAYPAL_CLIENT_ID ?? '',
      oAuthClientSecret: settings.PAYPAL_CLIENT_SECRET ?? '',
    },
  });
  return {
    client,
    orders: new OrdersController(client),
    payments: new PaymentsController(client),
    search: new TransactionSearchController(client),
    fetch: async (path, init = {}) => {
      const { accessToken } = await client.clientCredentialsAuthManager.fetchToken();
      const headers = { 'content-type': 'application/json', ...init.headers, authorization: `Bearer ${accessToken}` };
      return await fetch(`${base}${path}`, { ...init, headers });
    },
  };
}

/** What a call was refused with: `422 ORDER_NOT_APPROVED`. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { details, name, error: code } = JSON.parse(String(error.body)); // `result` is empty for a status the SDK does not list
    return `${error.statusCode} ${details?.[0]?.issue ?? name ?? code}`;
  }
  return 'no refusal';
}

import {
  ApiError,
  Client,
  Environment,
  OAuthAuthorizationController,
  OrdersController,
  PaymentsController,
  TransactionSearchController,
} from '@paypal/paypal-server-sdk';
import { ProviderError } from './payment-gateway.ts';
import { toProviderError } from './paypal-errors.ts';

export interface PayPalAccess {
  clientId: string;
  clientSecret: string;
  environment: 'sandbox' | 'live';
  /** Another origin than PayPal's own; null for PayPal's own. */
  apiBase: string | null;
  timeoutMs: number;
}

/** The SDK, with one token. */
export interface PayPalSession {
  orders: OrdersController;
  payments: PaymentsController;
  transactions: TransactionSearchController;
  /** For what has no controller. */
  client: Client;
}

export interface PayPalSessions {
  /**
   * Runs one call, of one request or several, within the time-out as a whole. When the token is refused, which is before anything
   * has had an effect, it runs once more with a new one.
   */
  run<Result>(action: string, call: (session: PayPalSession, signal: AbortSignal) => Promise<Result>): Promise<Result>;
}

interface OpenSession extends PayPalSession {
  /** In the past: another token is needed. */
  endsAt: number;
}

/**
 * The SDK keeps the promise of its token for good: once fetching it has failed, each later call of that client fails alike. It
 * does not fetch another after a 401 either. So the token is kept here, and an SDK client lives as long as its token.
 */
export function createPayPalSessions(access: PayPalAccess): PayPalSessions {
  let current: Promise<OpenSession> | null = null;

  /** Callers at the same moment share one token. */
  async function openSession(): Promise<OpenSession> {
    const known = current;
    if (known) {
      const session = await known;
      if (Date.now() < session.endsAt) return session;
      if (current !== known) return await openSession(); // somebody was faster
    }
    const opening = signIn(access);
    current = opening;
    opening.catch(() => {
      if (current === opening) current = null; // the next call tries anew
    });
    return await opening;
  }

  return {
    async run(action, call) {
      const signal = AbortSignal.timeout(access.timeoutMs);
      try {
        const session = await orAborted(openSession(), signal);
        try {
          return await call(session, signal);
        } catch (error) {
          if (!(error instanceof ApiError) || error.statusCode !== 401) throw error;
          session.endsAt = 0;
          return await call(await orAborted(openSession(), signal), signal);
        }
      } catch (error) {
        if (signal.aborted && !(error instanceof ProviderError)) throw timedOut(action, access.timeoutMs);
        throw toProviderError(error, action);
      }
    },
  };
}

/** Whose origin the requests go to. */
export function payPalOrigin({ apiBase, environment }: Pick<PayPalAccess, 'apiBase' | 'environment'>): string {
  if (apiBase !== null) return new URL(apiBase).origin;
  return environment === 'live' ? 'https://api-m.paypal.com' : 'https://api-m.sandbox.paypal.com';
}

function timedOut(action: string, timeoutMs: number): ProviderError {
  return new ProviderError('unknown', 'ETIMEDOUT', `${action} at PayPal got no answer within ${timeoutMs} ms`);
}

/** The token is for everybody who waits for it, so one who gives up does not end its request. */
async function orAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function signIn(access: PayPalAccess): Promise<OpenSession> {
  const basic = Buffer.from(`${access.clientId}:${access.clientSecret}`).toString('base64');
  const askedAt = Date.now();
  try {
    const { result } = await new OAuthAuthorizationController(openClient(access, null)).requestToken(
      { authorization: `Basic ${basic}` },
      undefined,
      { abortSignal: AbortSignal.timeout(access.timeoutMs) },
    );
    const lifeMs = Number(result.expiresIn ?? 300n) * 1000;
    const client = openClient(access, result.accessToken);
    return {
      client,
      orders: new OrdersController(client),
      payments: new PaymentsController(client),
      transactions: new TransactionSearchController(client),
      endsAt: askedAt + 0.9 * lifeMs,
    };
  } catch (error) {
    throw toProviderError(error, 'Signing in');
  }
}

function openClient(access: PayPalAccess, accessToken: string | null): Client {
  const { apiBase, environment, timeoutMs } = access;
  const origin = payPalOrigin(access);

  class PayPalClient extends Client {
    /** The SDK has no setting for its base URL. It calls this while it is being constructed, when there is no `this` to read from. */
    override getRequestBuilderFactory() {
      const createRequest = super.getRequestBuilderFactory();
      if (apiBase === null) return createRequest;
      return (...args: Parameters<typeof createRequest>) => {
        const builder = createRequest(...args);
        builder.interceptRequest((request) => {
          const { pathname, search } = new URL(request.url);
          return { ...request, url: `${origin}${pathname}${search}` };
        });
        return builder;
      };
    }
  }

  return new PayPalClient({
    environment: environment === 'live' ? Environment.Production : Environment.Sandbox,
    timeout: timeoutMs,
    httpClientOptions: { timeout: timeoutMs, retryConfig: { maxNumberOfRetries: 0 } },
    // A redirect would take the token along; no answer of PayPal's is so large.
    unstable_httpClientOptions: { maxRedirects: 0, maxContentLength: 32 * 1024 * 1024 },
    clientCredentialsAuthCredentials: {
      oAuthClientId: access.clientId,
      oAuthClientSecret: access.clientSecret,
      ...(accessToken === null ? {} : { oAuthToken: { accessToken, tokenType: 'Bearer' } }),
    },
  });
}

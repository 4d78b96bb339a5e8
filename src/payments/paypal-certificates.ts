import { X509Certificate } from 'node:crypto';
import { ProviderError, SignatureInvalidError } from './payment-gateway.ts';

const largestBytes = 64 * 1024;
const kept = 8;
const keptForMs = 86_400_000;
const fetchedAtOnce = 8;

export interface PayPalCertificates {
  /**
   * The certificate at an address that PayPal has named. Throws `SignatureInvalidError` when it is not to be trusted, a
   * `ProviderError` when it cannot be had now.
   */
  get(certUrl: string): Promise<X509Certificate>;
}

interface KeptCertificate {
  certificate: X509Certificate;
  until: number;
}

/**
 * Whoever may choose the certificate may forge the signature, so only PayPal's own hosts over TLS are asked, outside production
 * also one origin that is given, and they may not send us elsewhere.
 */
export function createPayPalCertificates(options: {
  trustedOrigin: string | null;
  timeoutMs: number;
}): PayPalCertificates {
  const certificates = new Map<string, KeptCertificate>();
  const underWay = new Map<string, Promise<X509Certificate>>();

  /** Many events at once share one request; one that failed is not kept. */
  async function fetchOnce(address: string): Promise<X509Certificate> {
    const same = underWay.get(address);
    if (same) return await same;
    // Whoever invents addresses at PayPal does not make us ask for all of them at once.
    if (underWay.size >= fetchedAtOnce) throw unavailable('CERTIFICATES_BUSY');
    const fetching = fetchCertificate(address, options.timeoutMs).finally(() => underWay.delete(address));
    underWay.set(address, fetching);
    const certificate = await fetching;
    keep(address, certificate);
    return certificate;
  }

  function keep(address: string, certificate: X509Certificate): void {
    certificates.delete(address);
    certificates.set(address, { certificate, until: Date.now() + keptForMs });
    const [oldest] = certificates.keys();
    if (certificates.size > kept && oldest !== undefined) certificates.delete(oldest);
  }

  return {
    async get(certUrl) {
      const address = trustedAddress(certUrl, options.trustedOrigin);
      const known = certificates.get(address);
      const certificate = known && Date.now() < known.until ? known.certificate : await fetchOnce(address);
      const now = new Date();
      if (now < certificate.validFromDate || now > certificate.validToDate)
        throw new SignatureInvalidError('the certificate is not valid at this time');
      return certificate;
    },
  };
}

/** Throws before anything is asked of anybody. */
function trustedAddress(certUrl: string, trustedOrigin: string | null): string {
  const url = URL.parse(certUrl);
  if (!url) throw new SignatureInvalidError('the certificate has no usable address');
  if (url.username || url.password) throw new SignatureInvalidError('the address of the certificate has a user in it');
  const isPayPal = url.protocol === 'https:' && url.port === '' && url.hostname.endsWith('.paypal.com');
  if (!isPayPal && url.origin !== trustedOrigin)
    throw new SignatureInvalidError('the address of the certificate is not one of PayPal’s');
  // Nor does PayPal's own need a query, by which one certificate would have many addresses and push out the others.
  if (url.search) throw new SignatureInvalidError('the address of the certificate has a query');
  url.hash = '';
  return url.href;
}

async function fetchCertificate(address: string, timeoutMs: number): Promise<X509Certificate> {
  const pem = await fetchText(address, timeoutMs);
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unavailable('CERTIFICATE_MALFORMED', { cause: error });
  }
}

async function fetchText(address: string, timeoutMs: number): Promise<string> {
  let response: Response;
  try {
    response = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    if (response.status === 200) return await readBounded(response);
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    throw unavailable('CERTIFICATE_UNREACHABLE', { cause: error });
  }
  await response.body?.cancel();
  throw unavailable(`CERTIFICATE_HTTP_${response.status}`);
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > largestBytes) throw unavailable('CERTIFICATE_TOO_LARGE'); // leaving the loop ends the request
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('latin1');
}

function unavailable(code: string, options: ErrorOptions = {}): ProviderError {
  return new ProviderError(
    'unknown',
    code,
    `the certificate of PayPal’s signature cannot be had now: ${code}`,
    options,
  );
}

import { createSign, createVerify, randomUUID, X509Certificate } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { generate } from 'selfsigned';
import type { Collection, SandboxStore } from '../sandbox-store.ts';

interface SigningCertificate {
  name: string;
  certificate: string;
  privateKey: string;
}

export interface Transmission {
  id: string;
  time: string;
  webhookId: string;
  body: string | Buffer;
}

const algorithm = 'SHA256withRSA';

/** The certificates that events are signed with: the latest signs, the earlier ones can still be fetched. */
export class PayPalCertificates {
  readonly #kept: Collection<SigningCertificate>;

  constructor(store: SandboxStore) {
    this.#kept = store.collection('paypal-certificates');
  }

  /** Before the first event is signed. */
  async prepare(): Promise<void> {
    if (this.#kept.size === 0) await this.renew();
  }

  /** From here on a new one signs: whoever keeps certificates has to fetch it by its new address. */
  async renew(): Promise<string> {
    const now = Date.now();
    const { cert, private: privateKey } = await generate(
      [{ name: 'commonName', value: 'messageverificationcerts.sandbox' }],
      {
        keySize: 2048,
        algorithm: 'sha256',
        notBeforeDate: new Date(now - 24 * 60 * 60 * 1000),
        notAfterDate: new Date(now + 10 * 365 * 24 * 60 * 60 * 1000),
      },
    );
    const name = `CERT-${randomUUID().slice(0, 18)}`;
    this.#kept.set(name, { name, certificate: cert, privateKey });
    return name;
  }

  find(name: string): string | null {
    return this.#kept.get(name)?.certificate ?? null;
  }

  /** The headers of one delivery. */
  sign(transmission: Transmission, baseUrl: string): Record<string, string> {
    const latest = [...this.#kept.values()].at(-1);
    if (!latest) throw new Error('no certificate was made yet');
    const signature = createSign('RSA-SHA256').update(signedText(transmission)).sign(latest.privateKey, 'base64');
    return {
      'paypal-transmission-id': transmission.id,
      'paypal-transmission-time': transmission.time,
      'paypal-transmission-sig': signature,
      'paypal-cert-url': `${baseUrl}/v1/notifications/certs/${latest.name}`,
      'paypal-auth-algo': algorithm,
    };
  }

  isGood(
    transmission: Transmission,
    signature: string,
    certificateUrl: string,
    algorithmName: string,
    baseUrl: string,
  ): boolean {
    const address = `${baseUrl}/v1/notifications/certs/`;
    const certificate = certificateUrl.startsWith(address) ? this.find(certificateUrl.slice(address.length)) : null;
    if (certificate === null || algorithmName !== algorithm) return false;
    const { publicKey } = new X509Certificate(certificate);
    return createVerify('RSA-SHA256').update(signedText(transmission)).verify(publicKey, signature, 'base64');
  }
}

function signedText({ id, time, webhookId, body }: Transmission): string {
  return `${id}|${time}|${webhookId}|${crc32(body)}`; // already unsigned
}

import { isUtf8 } from 'node:buffer';
import { verify } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { SignatureInvalidError } from './payment-gateway.ts';
import { malformed } from './paypal-answers.ts';
import type { PayPalCertificates } from './paypal-certificates.ts';
import type { PayPalSignature } from './paypal-event.ts';
import type { PayPalSessions } from './paypal-session.ts';

/**
 * PayPal signs who, when, for which webhook, and a checksum of the bytes that it sends. How old it is, is not judged: PayPal tries
 * for three days, and what comes twice is stored once.
 */
export async function verifyOffline(
  certificates: PayPalCertificates,
  webhookId: string,
  rawBody: Buffer,
  signature: PayPalSignature,
): Promise<void> {
  if (signature.algorithm.toLowerCase() !== 'sha256withrsa')
    throw new SignatureInvalidError('the signature is of another kind than SHA256withRSA');
  const { publicKey } = await certificates.get(signature.certUrl);
  if (publicKey.asymmetricKeyType !== 'rsa') throw new SignatureInvalidError('the certificate holds no RSA key');
  const { transmissionId, transmissionTime } = signature;
  const message = `${transmissionId}|${transmissionTime}|${webhookId}|${crc32(rawBody)}`;
  if (!verify('RSA-SHA256', Buffer.from(message), publicKey, Buffer.from(signature.signature, 'base64')))
    throw new SignatureInvalidError('the signature does not match the body');
}

/** Lets PayPal judge. It computes its checksum from what we send, so the body goes there byte by byte as it came. */
export async function verifyByPostback(
  sessions: PayPalSessions,
  webhookId: string,
  rawBody: Buffer,
  signature: PayPalSignature,
): Promise<void> {
  const event = rawBody.toString('utf8');
  // A body that is not one JSON value could close its place and go on with a webhook id of its own.
  if (!isUtf8(rawBody) || !isJson(event)) throw new SignatureInvalidError('the body is no JSON');
  const facts = JSON.stringify({
    auth_algo: signature.algorithm,
    cert_url: signature.certUrl,
    transmission_id: signature.transmissionId,
    transmission_sig: signature.signature,
    transmission_time: signature.transmissionTime,
    webhook_id: webhookId,
  });
  const body = `${facts.slice(0, -1)},"webhook_event":${event}}`;
  const answer = await sessions.run('Verifying a webhook', async ({ client }, abortSignal) => {
    const request = client.getRequestBuilderFactory()('POST', '/v1/notifications/verify-webhook-signature');
    request.header('Content-Type', 'application/json');
    request.text(body);
    request.authenticate([{ oauth2: true }]);
    return await request.callAsText({ abortSignal });
  });
  if (statusIn(answer.result) !== 'SUCCESS') throw new SignatureInvalidError('PayPal does not know the signature');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function statusIn(text: string): unknown {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer && 'verification_status' in answer ? answer.verification_status : null;
  } catch {
    throw malformed('something else than a verification');
  }
}

import { timingSafeEqual } from 'node:crypto';
import { S3Refusal } from './s3-refusal.ts';
import { headerOf, hmac, queryOf, type S3Request, sha256 } from './s3-request.ts';

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface SignatureRules {
  credentials: readonly S3Credentials[];
  region: string;
  nowMs(): number;
}

export interface Signed {
  /** What the body was said to be: a hash, or one of the words for a body that is not hashed as a whole. */
  payload: string;
}

const algorithm = 'AWS4-HMAC-SHA256';
const skewMs = 15 * 60_000;
const longestSeconds = 604_800;
const isInQuery = (request: S3Request) => queryOf(request, 'X-Amz-Algorithm') !== null;

/** Signature version 4, as the header or the query says it. Throws what S3 refuses with. */
export function verifySignature(request: S3Request, rules: SignatureRules): Signed {
  if (isInQuery(request)) {
    if (headerOf(request, 'authorization'))
      throw new S3Refusal(400, 'InvalidArgument', 'Only one auth mechanism allowed');
    return verifyQuery(request, rules);
  }
  return verifyHeader(request, rules);
}

function verifyHeader(request: S3Request, rules: SignatureRules): Signed {
  const header = headerOf(request, 'authorization');
  if (!header) throw new S3Refusal(403, 'AccessDenied', 'Access Denied');
  const found = /^AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/.exec(
    header,
  );
  if (!found) throw malformed('The authorization header that you provided is not valid.');
  const [, credential = '', signedHeaders = '', signature = ''] = found;
  const at = headerOf(request, 'x-amz-date') ?? '';
  const payload = headerOf(request, 'x-amz-content-sha256');
  if (payload === null)
    throw new S3Refusal(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  if (
    !/^([0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-(AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?|UNSIGNED-PAYLOAD-TRAILER))$/.test(
      payload,
    )
  )
    throw new S3Refusal(
      400,
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-…, or a valid sha256 value.',
    );
  const signedAt = timeOf(at);
  if (signedAt === null)
    throw new S3Refusal(403, 'AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  if (Math.abs(rules.nowMs() - signedAt) > skewMs)
    throw new S3Refusal(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
    );
  return check(request, rules, {
    credential,
    signedHeaders: signedHeaders.split(';'),
    signature,
    at,
    payload,
    query: request.query,
  });
}

function verifyQuery(request: S3Request, rules: SignatureRules): Signed {
  const of = (name: string) => queryOf(request, `X-Amz-${name}`) ?? '';
  if (of('Algorithm') !== algorithm || !of('Credential') || !of('SignedHeaders') || !of('Signature') || !of('Expires'))
    throw badQuery(
      'Query-string authentication requires the Algorithm, Credential, Signature, Date, SignedHeaders and Expires.',
    );
  const seconds = Number(of('Expires'));
  if (!Number.isInteger(seconds) || seconds < 0) throw badQuery('X-Amz-Expires should be a number');
  if (seconds > longestSeconds) throw badQuery('X-Amz-Expires must be less than a week (in seconds)');
  const signedAt = timeOf(of('Date'));
  if (signedAt === null) throw badQuery('X-Amz-Date must be in the ISO8601 Long Format');
  const signed = check(request, rules, {
    credential: of('Credential'),
    signedHeaders: of('SignedHeaders').split(';'),
    signature: of('Signature'),
    at: of('Date'),
    payload: headerOf(request, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD',
    query: request.query.filter(([name]) => name !== 'X-Amz-Signature'),
  });
  if (signedAt - rules.nowMs() > skewMs) throw new S3Refusal(403, 'AccessDenied', 'Request is not yet valid');
  if (signedAt + seconds * 1_000 < rules.nowMs()) throw new S3Refusal(403, 'AccessDenied', 'Request has expired');
  return signed;
}

interface Claim {
  credential: string;
  signedHeaders: string[];
  signature: string;
  at: string;
  payload: string;
  query: [string, string][];
}

function check(request: S3Request, rules: SignatureRules, claim: Claim): Signed {
  const { credential, signedHeaders, signature, at, payload } = claim;
  const [accessKeyId = '', day = '', region = '', service = '', end = '', ...rest] = credential.split('/');
  if (end !== 'aws4_request' || rest.length > 0 || service !== 's3' || day !== at.slice(0, 8))
    throw malformed('The authorization header is malformed; the Credential is mal-formed.');
  const known = rules.credentials.find((one) => one.accessKeyId === accessKeyId);
  if (!known)
    throw new S3Refusal(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.');
  if (region !== rules.region)
    throw malformed(
      `The authorization header is malformed; the region '${region}' is wrong; expecting '${rules.region}'`,
    );
  const mustBeSigned = Object.keys(request.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  if (mustBeSigned.some((name) => !signedHeaders.includes(name)))
    throw new S3Refusal(403, 'AccessDenied', 'There were headers present in the request which were not signed');

  const canonical = [
    request.method,
    request.path.split('/').map(encodedAgain).join('/'),
    claim.query
      .map(([name, value]) => [encoded(name), encoded(value)] as const)
      .sort(([one, its], [other, others]) => (one === other ? order(its, others) : order(one, other)))
      .map((pair) => pair.join('='))
      .join('&'),
    ...signedHeaders.map((name) => `${name}:${(headerOf(request, name) ?? '').replaceAll(/ +/g, ' ')}`),
    '',
    signedHeaders.join(';'),
    payload,
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const signingKey = hmac(hmac(hmac(hmac(`AWS4${known.secretAccessKey}`, day), region), service), 'aws4_request');
  const expected = hmac(signingKey, [algorithm, at, scope, sha256(canonical)].join('\n'));
  const given = Buffer.from(signature, 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new S3Refusal(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    );
  return { payload };
}

const malformed = (message: string) => new S3Refusal(400, 'AuthorizationHeaderMalformed', message);
const badQuery = (message: string) => new S3Refusal(400, 'AuthorizationQueryParametersError', message);

function timeOf(at: string): number | null {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(at);
  if (!found) return null;
  const [year = 0, month = 1, ...rest] = found.slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest);
}

const order = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
const encoded = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
/** However the client wrote it. */
const encodedAgain = (part: string) => encoded(decodeURIComponent(part));

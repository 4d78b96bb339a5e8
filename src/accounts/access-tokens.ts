import { createHash } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import type { TokenSettings } from '../config.ts';
import { UnauthenticatedError } from '../domain/errors.ts';

/** What an access token says; the role is looked up, so that a change holds at once. */
export interface AccessClaims {
  userId: string;
  sessionId: string;
}

export interface AccessTokens {
  sign(claims: AccessClaims): string;
  /** Throws `UnauthenticatedError`. */
  verify(token: string): AccessClaims;
  lifetimeSeconds: number;
}

const cachedTokens = 20_000;

/**
 * JWTs by HS256. A header is never interpreted: each secret writes one header (with its key id), and a token whose header is
 * not letter by letter one of these is refused, whatever algorithm or key it names.
 */
export function createAccessTokens({ secrets, issuer, audience, accessTokenMs }: TokenSettings): AccessTokens {
  const keys = secrets.map((secret) => {
    const sign = createSigner({
      key: secret,
      algorithm: 'HS256',
      kid: createHash('sha256').update(`kid:${secret}`).digest('base64url').slice(0, 11),
      iss: issuer,
      aud: audience,
      expiresIn: accessTokenMs,
    });
    const verify = createVerifier({
      key: secret,
      algorithms: ['HS256'],
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['sub', 'sid', 'iat', 'exp'],
      cache: cachedTokens, // a hit still heeds `exp`
      cacheTTL: accessTokenMs,
    });
    return { sign, verify, header: headerOf(sign({})) };
  });
  const verifiers = new Map(keys.map(({ header, verify }) => [header, verify]));
  const [signing] = keys;
  if (!signing) throw new TypeError('access tokens need a secret');

  return {
    sign: ({ userId, sessionId }) => signing.sign({ sub: userId, sid: sessionId }),
    verify(token) {
      const verify = verifiers.get(headerOf(token));
      if (!verify) throw new UnauthenticatedError('This access token is not one of ours.');
      let claims: { sub: unknown; sid: unknown };
      try {
        claims = verify(token);
      } catch (error) {
        throw new UnauthenticatedError(
          (error as { code?: string }).code === 'FAST_JWT_EXPIRED'
            ? 'This access token has expired. Refresh it.'
            : 'This access token is not valid.',
        );
      }
      const { sub, sid } = claims;
      if (typeof sub !== 'string' || typeof sid !== 'string')
        throw new UnauthenticatedError('This access token is not valid.');
      return { userId: sub, sessionId: sid };
    },
    lifetimeSeconds: Math.floor(accessTokenMs / 1_000),
  };
}

const headerOf = (token: string) => token.slice(0, token.indexOf('.'));

import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits; only the hash is kept. */
export function createRefreshToken(): { token: string; hash: Buffer } {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashRefreshToken(token) };
}

/** One SHA-256: what is random needs no slow hash. */
export const hashRefreshToken = (token: string): Buffer => createHash('sha256').update(token).digest();

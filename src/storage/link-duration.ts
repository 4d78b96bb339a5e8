/** The longest that S3 signs for; a local store keeps to it, so that moving to a bucket changes nothing. */
const longestMs = 7 * 24 * 60 * 60 * 1_000;

export function assertLinkDuration(expiresInMs: number): void {
  if (!(expiresInMs > 0 && expiresInMs <= longestMs))
    throw new RangeError(`a signed address lasts 7 days at most, not ${expiresInMs} ms`);
}

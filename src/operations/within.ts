import { ServiceUnavailableError } from '../domain/errors.ts';

/** Fails with `service_unavailable` where the answer takes longer. What was asked goes on by itself. */
export function within<T>(ms: number, what: string, answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new ServiceUnavailableError(what)), ms);
  return Promise.race([answer, promise]).finally(() => clearTimeout(timer));
}

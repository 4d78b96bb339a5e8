import { hash, verify } from '@node-rs/argon2';

/** argon2id by OWASP's first choice: 19 MiB, two passes; about 25 ms on one core, off the event loop. */
const cost = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** The same text typed on another keyboard is the same password. */
const normalise = (password: string) => password.normalize('NFKC');

let nobody: Promise<string> | undefined;

/** A PHC string, with its salt and cost. */
export function hashPassword(password: string): Promise<string> {
  return hash(normalise(password), cost);
}

/** Takes as long without a stored hash (unknown account, or one that cannot sign in) as with one. */
export async function isPassword(password: string, passwordHash: string | null): Promise<boolean> {
  nobody ??= hashPassword('nobody signs in with this');
  const matches = await verify(passwordHash ?? (await nobody), normalise(password));
  return matches && passwordHash !== null;
}

import { hash, verify } from '@node-rs/argon2';
import { EngineError } from '../domain/errors.ts';

/** argon2id by OWASP's first choice: 19 MiB, two passes; about 25 ms on one core, off the event loop. */
const cost = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** The same text typed on another keyboard is the same password. */
const normalise = (password: string) => password.normalize('NFKC');

let nobody: Promise<string> | undefined;

/**
 * Hashing shares the four threads of the process with reading files: so two at once. Nor may more wait than are done in a few
 * seconds; whoever comes then is told to come again.
 */
const maxAtOnce = 2;
const maxWaiting = 100;

let underWay = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (underWay < maxAtOnce) underWay++;
  else if (waiting.length < maxWaiting) await new Promise<void>((begin) => void waiting.push(begin));
  else throw tooBusy();
  try {
    return await work();
  } finally {
    const next = waiting.shift(); // it takes the place of this one
    if (next) next();
    else underWay--;
  }
}

/** Fewer than may wait for their turn: whoever is let in here gets it. */
const maxInside = 80;
let inside = 0;

/** Lets in what will compare a password, before its first query and before it counts as an attempt; refuses what would wait too long. */
export async function whileThereIsRoom<T>(work: () => Promise<T>): Promise<T> {
  if (inside >= maxInside) throw tooBusy();
  inside++;
  try {
    return await work();
  } finally {
    inside--;
  }
}

const tooBusy = () =>
  new EngineError('service_unavailable', 'Too many people are signing in at this moment. Try again in a moment.', {
    retryAfterSeconds: 2,
  });

/** A PHC string, with its salt and cost. */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(normalise(password), cost));
}

/** Takes as long without a stored hash (unknown account, or one that cannot sign in) as with one. */
export function isPassword(password: string, passwordHash: string | null): Promise<boolean> {
  return inTurn(async () => {
    nobody ??= hash('nobody signs in with this', cost); // within this one's turn
    const matches = await verify(passwordHash ?? (await nobody), normalise(password));
    return matches && passwordHash !== null;
  });
}

import type { AttemptKey } from '../db/order-returns.ts';
import type { Robot } from '../db/robots.ts';
import { ServiceUnavailableError } from '../domain/errors.ts';

/** The order that a robot was given. */
export type RobotClaim = AttemptKey;

/** One request that waits for the robot's next order. */
export interface Asker {
  /** Waits for an order to come, and not only for the first look. */
  isPatient: boolean;
  promise: Promise<RobotClaim | null>;
  resolve(claim: RobotClaim | null): void;
  reject(error: unknown): void;
}

/** A robot at the desk, with everybody who asks for it: usually one request, more when answers were lost. */
export class RobotWait {
  readonly robot: Robot;
  readonly #askers = new Set<Asker>();
  #hasLooked = false;
  #isStarting = false;

  constructor(robot: Robot) {
    this.robot = robot;
  }

  /** An order was taken for the robot: nobody is sent away now. */
  get isStarting(): boolean {
    return this.#isStarting;
  }

  get isDeserted(): boolean {
    return this.#askers.size === 0 && !this.#isStarting;
  }

  add(isPatient: boolean): Asker {
    const asker: Asker = { isPatient, ...Promise.withResolvers<RobotClaim | null>() };
    this.#askers.add(asker);
    if (this.#hasLooked && !this.#isStarting && !isPatient) asker.resolve(null);
    return asker;
  }

  remove(asker: Asker): void {
    this.#askers.delete(asker);
  }

  /** Its time is over. Where the lanes could not be looked at in all that time, the queue store is away. */
  giveUp(asker: Asker): void {
    if (this.#isStarting) return;
    if (this.#hasLooked) asker.resolve(null);
    else asker.reject(new ServiceUnavailableError('The queue store'));
  }

  sayNothingIsDue(): void {
    this.#hasLooked = true;
    for (const asker of this.#askers) if (!asker.isPatient) asker.resolve(null);
  }

  async whileStarting<T>(start: () => Promise<T>): Promise<T> {
    this.#isStarting = true;
    try {
      return await start();
    } finally {
      this.#isStarting = false;
    }
  }

  resolve(claim: RobotClaim | null): void {
    for (const asker of this.#askers) asker.resolve(claim);
  }

  resolveUnlessStarting(claim: RobotClaim | null): void {
    if (!this.#isStarting) this.resolve(claim);
  }

  reject(error: unknown): void {
    for (const asker of this.#askers) asker.reject(error);
  }
}

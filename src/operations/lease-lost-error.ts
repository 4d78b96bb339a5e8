/** Another process has taken the payment over: whoever meets this lets go, and what it wanted is seen to there. */
export class LeaseLostError extends Error {
  constructor() {
    super('the lease of the payment was lost');
    this.name = 'LeaseLostError';
  }
}

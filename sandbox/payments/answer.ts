export const providerNames = ['stripe', 'paypal'] as const;
export type ProviderName = (typeof providerNames)[number];

/** An HTTP answer, not yet sent. A body that is neither a string nor undefined is sent as JSON. */
export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** The request was refused before anything began: with its key it may come again, as if it were new. */
  forgettable?: boolean;
}

/** How a provider says that something went wrong with the request as such. */
export interface TroubleAnswers {
  /** 503, nothing happened. */
  unavailable(): Answer;
  /** 429, nothing happened. */
  rateLimited(retryAfterSeconds: number): Answer;
  /** 409 or so: one with the same key is under way. */
  conflict(): Answer;
  /** The key belongs to a request with other parameters. */
  otherParameters(): Answer;
  /** 500, whatever happened. */
  failed(): Answer;
  /** A remembered answer as it is sent again. */
  replayed(answer: Answer): Answer;
  /** Whether a 500 is what the same key is answered from then on. */
  remembersFailures: boolean;
}

/** A provider as far as it answers. */
export interface Answering {
  readonly name: ProviderName;
  readonly trouble: TroubleAnswers;
}

export const noAnswer = 'The server does not answer. Try again in a moment.';

/** What a refusal says: `{ status, code, detail, retryAfterSeconds }`. */
export async function readProblem(response) {
  const { code, detail } = await response.json().catch(() => ({})); // from a proxy, perhaps
  return {
    status: response.status,
    code,
    detail: detail ?? (response.status >= 500 ? noAnswer : `The server refused (${response.status}).`),
    retryAfterSeconds: Math.ceil(Number(response.headers.get('retry-after'))) || null,
  };
}

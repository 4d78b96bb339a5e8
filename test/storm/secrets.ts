/** What never stands in a log line. */
const shapes: [what: string, shape: RegExp][] = [
  ['a secret key of Stripe', /\b(sk|rk)_(test|live)_\w+/],
  ['a signing secret', /\bwhsec_\w+/],
  ['a bearer token', /\bBearer\s+[\w.~+/-]{8,}/i],
  ['an access token of PayPal', /\bA21AA[\w-]{8,}/],
  ['Basic credentials', /\bBasic\s+[A-Za-z0-9+/]{8,}={0,2}/],
  ['a JSON Web Token', /\beyJ[\w-]{8,}\.[\w-]{8,}\./],
  ['a password in an address', /\b[a-z][a-z+]*:\/\/[^\s/:@"]*:[^\s/@"]+@/i],
  ['an e-mail address', /[\w.+-]+@[\w-]+\.[a-z]{2,}/i],
  ['the raw body of an event', /\\?"(object\\?":\s*\\?"event|resource_type)\\?"/],
  ['a payload with metadata', /\\?"(payment_intent_data|purchase_units|client_secret)\\?"/],
  ['a password hash', /\$argon2id\$/],
];
const cardLike = /(?<![\w.-])[3-6](?:[ -]?\d){12,18}(?!\w|[.-]\d)/g;

/** Lines that say what they must not, with what that is. `secrets` are those that the processes were given. */
export function findLeaks(lines: readonly string[], secrets: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const known = secrets.filter((secret) => line.includes(secret)).map(() => 'a secret of its environment');
    const shaped = shapes.filter(([, shape]) => shape.test(line)).map(([what]) => what);
    const cards = (line.match(cardLike) ?? []).some(isCardNumber) ? ['a card number'] : [];
    return [...known, ...shaped, ...cards].map((what) => `${what}: ${line.slice(0, 400)}`);
  });
}

/** By its check digit. */
function isCardNumber(text: string): boolean {
  const digits = [...text.replaceAll(/\D/g, '')].reverse().map(Number);
  const sum = digits.reduce((total, digit, place) => {
    const counted = place % 2 === 1 ? digit * 2 : digit;
    return total + (counted > 9 ? counted - 9 : counted);
  }, 0);
  return sum % 10 === 0 && digits.length >= 13;
}

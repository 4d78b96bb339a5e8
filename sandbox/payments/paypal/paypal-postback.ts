import { PayPalRefusal } from './paypal-refusal.ts';

/**
 * The text of one field's value in the text of a JSON object, byte for byte. A signature is over the event as it was sent, so an
 * event that was parsed and written again on its way here must not pass.
 */
export function rawFieldOf(text: string, field: string): string | null {
  let at = skipSpace(text, 0) + 1; // after the brace
  while (at < text.length) {
    at = skipSpace(text, at);
    if (text[at] !== '"') return null;
    const nameEnd = endOfValue(text, at);
    const name: unknown = JSON.parse(text.slice(at, nameEnd));
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    if (name === field) return text.slice(start, end);
    at = skipSpace(text, end) + 1; // after the comma
  }
  return null;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) at++;
  return at;
}

/** Of text that has already been parsed once, and so is well formed. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"') {
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (depth === 0) return at + 1;
    } else if (letter === '{' || letter === '[') depth++;
    else if (letter === '}' || letter === ']') {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (letter === ',' || ' \t\r\n'.includes(letter ?? ''))) return at;
  }
  return text.length;
}

/** A JSON object, and its text as it came. */
export interface RawJson {
  text: string;
  value: unknown;
}

export function readJson(text: string): RawJson {
  if (text.trim() === '') return { text: '{}', value: {} }; // as the SDK sends a step that has nothing to say
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    throw PayPalRefusal.invalid('MALFORMED_REQUEST_JSON', '/');
  }
}

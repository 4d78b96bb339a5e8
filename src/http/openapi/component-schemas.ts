/** Zod gives each noun twice, as it is read (`…Input`) and as it is written. The document has one where both are the same. */
type Json = { [key: string]: unknown };
type Schemas = Record<string, Json>;

const prefix = '#/components/schemas/';
const largest = Number.MAX_SAFE_INTEGER;
/** A format says it; the pattern that zod checks it by says nothing to a reader. */
const patternedFormats = new Set(['date-time', 'uuid', 'email', 'uri']);

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Without what is of the validator, and shorter: no limits of a double, patterns of formats, names of string keys. */
export function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (!isObject(value)) return value;
  const tidied = Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, inner]) =>
          !(key === 'maximum' && inner === largest) &&
          !(key === 'minimum' && inner === -largest) &&
          !(key === 'pattern' && patternedFormats.has(String(value.format))) &&
          !(key === 'propertyNames' && JSON.stringify(inner) === '{"type":"string"}'),
      )
      .map(([key, inner]) => [key, tidy(inner)]),
  );
  return orNull(tidied);
}

/** `{ type: ['integer', 'null'] }` for `{ anyOf: [{ type: 'integer' }, { type: 'null' }] }`. */
function orNull({ anyOf, ...rest }: Json): Json {
  const [form, nothing, ...others] = Array.isArray(anyOf) ? anyOf : [];
  const isPlain = isObject(form) && typeof form.type === 'string' && form.enum === undefined;
  if (!isPlain || !isObject(nothing) || nothing.type !== 'null' || others.length > 0)
    return anyOf === undefined ? rest : { anyOf, ...rest };
  return { ...form, ...rest, type: [form.type, 'null'] };
}

/** Which new name each `…Input` has: that of the noun, unless the noun is read in another form than it is written. */
export function inputNames(schemas: Schemas): Map<string, string> {
  const without = (name: string) => name.replace(/Input$/, '');
  const inputs = Object.keys(schemas).filter((name) => name.endsWith('Input') && without(name) in schemas);
  const asOutput = new Map(inputs.map((name) => [name, without(name)]));
  const isSame = (name: string) =>
    JSON.stringify(renameReferences(withoutClosing(schemas[name]), asOutput)) ===
    JSON.stringify(withoutClosing(schemas[without(name)]));
  return new Map(inputs.filter(isSame).map((name) => [name, without(name)]));
}

/** An object of ours has no further fields when it is written, and when it is read some are let pass. */
function withoutClosing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutClosing);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key, inner]) => key !== 'additionalProperties' || inner !== false);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutClosing(inner)]));
}

export function renameReferences(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((inner) => renameReferences(inner, names));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key !== '$ref' || typeof inner !== 'string' || !inner.startsWith(prefix))
        return [key, renameReferences(inner, names)];
      const name = inner.slice(prefix.length);
      return [key, prefix + (names.get(name) ?? name)];
    }),
  );
}

/** The schemas that something refers to, and those that they refer to. */
export function usedSchemas(schemas: Schemas, from: unknown): Schemas {
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const inner of value) visit(inner);
    if (!isObject(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key !== '$ref' || typeof inner !== 'string' || !inner.startsWith(prefix)) {
        visit(inner);
        continue;
      }
      const name = inner.slice(prefix.length);
      if (used.has(name)) continue;
      used.add(name);
      visit(schemas[name]);
    }
  };
  visit(from);
  return Object.fromEntries(
    Object.entries(schemas)
      .filter(([name]) => used.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

import { type CommonQueryMethods, createSqlTag, type Interceptor, SchemaValidationError } from 'slonik';
import { z } from 'zod';

/** Anything that runs a query: a pool, a connection or a transaction. */
export type Db = CommonQueryMethods;

export const sql = createSqlTag();

/** slonik types rows by their schema but does not check them by itself: this makes the schema run. */
export const rowCheck: Interceptor = {
  name: 'row-check',
  transformRow: (context, query, row) => {
    const parser = context.resultParser;
    if (!parser) return row;
    const checked = parser['~standard'].validate(row);
    if (checked instanceof Promise) throw new TypeError('a row schema must be synchronous');
    if (checked.issues) throw new SchemaValidationError(query, row, checked.issues as never);
    return checked.value as typeof row;
  },
};

/** `int8` arrives as bigint; ours are all below 2^53. */
export const int8 = z.bigint().transform((value) => Number(value));
/** `timestamptz` arrives as milliseconds since the epoch. */
export const time = z.number();
export const nothing = z.object({});

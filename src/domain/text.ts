import { z } from 'zod';

/** A text that Postgres can hold: it knows no null character. */
export const textSchema = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[^\0]*$/, 'must not hold a null character');

import { SerializerSelector } from '@fastify/fast-json-stringify-compiler';
import type { FastifySerializerCompiler } from 'fastify/types/schema.js';
import { z } from 'zod';

const compile = SerializerSelector()({}, {});

/** Answers are written by fast-json-stringify from the zod schema of the route: what the schema does not name is not sent. */
export const serializerCompiler: FastifySerializerCompiler<z.ZodType> = ({ schema, method, url, httpStatus }) => {
  const jsonSchema = z.toJSONSchema(schema, { target: 'draft-7', io: 'output', unrepresentable: 'any' });
  delete jsonSchema.$schema;
  return compile({ schema: jsonSchema, method, url, httpStatus: httpStatus ?? '' });
};

import { SerializerSelector } from '@fastify/fast-json-stringify-compiler';
import type { FastifySerializerCompiler } from 'fastify/types/schema.js';
import { z } from 'zod';

const compile = SerializerSelector()({}, {});

/** Names and descriptions are for the document: by a name, a schema would become a reference, and a call for each answer. */
const metadata = z.registry<Record<string, unknown>>();

/** Answers are written by fast-json-stringify from the zod schema of the route: what the schema does not name is not sent. */
export const serializerCompiler: FastifySerializerCompiler<z.ZodType> = ({ schema, method, url, httpStatus }) => {
  const jsonSchema = z.toJSONSchema(schema, { target: 'draft-7', io: 'output', unrepresentable: 'any', metadata });
  delete jsonSchema.$schema;
  return compile({ schema: jsonSchema, method, url, httpStatus: httpStatus ?? '' });
};

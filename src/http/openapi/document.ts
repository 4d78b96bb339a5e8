import swagger, { type SwaggerTransform } from '@fastify/swagger';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { createJsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { inputNames, renameReferences, tidy, usedSchemas } from './component-schemas.ts';
import { describeOperation, type Operation } from './describe-operation.ts';
import { demoIntroduction, demoSignIn, introduction, tags } from './introduction.ts';

type Json = { [key: string]: unknown };
type Document = Json & {
  info: { description: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
};

const transform = createJsonSchemaTransform({});

/**
 * OpenAPI 3.1 from what the routes say of themselves: their zod schemas, `config.access`, `config.problems`, `config.answers`.
 * Stands before the routes; the document is made when it is first asked for.
 */
export async function registerDocument(app: FastifyInstance): Promise<void> {
  const routes = new Map<string, RouteOptions>();
  const noteAndTransform: SwaggerTransform = (given) => {
    const { schema, route, url } = given;
    const operationId = schema?.operationId;
    if (schema?.hide || !operationId) return { schema: { hide: true }, url }; // one that is forgotten: a test finds it
    routes.set(operationId, route);
    return transform(given);
  };
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: introduction,
      servers: [{ url: '/', description: 'The server that this document came from' }],
      tags,
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'The `accessToken` of `POST /v1/auth/login`.',
          },
          basic: { type: 'http', scheme: 'basic', description: 'ADMIN_USERNAME and ADMIN_PASSWORD of the server.' },
        },
      },
    },
    transform: noteAndTransform,
    transformObject: (made) => finishDocument(jsonSchemaTransformObject(made), routes) as never, // one shape, which it types in three
  });
}

/** The document of an app that is ready; that of a demo names its sample accounts, as nobody has another one there. */
export function documentOf(app: FastifyInstance, { isDemo }: { isDemo: boolean }): Json {
  const document = app.swagger() as Json as Document; // as `finishDocument` left it
  if (!isDemo) return document;
  const described = structuredClone(document);
  described.info.description += demoIntroduction;
  const credentials = described.paths['/v1/auth/login']?.post?.requestBody?.content['application/json'];
  if (credentials) credentials.example = demoSignIn;
  return described;
}

/** What no schema says: who gets in, problems, headers, examples; and the schemas under one name each, those that are used. */
function finishDocument(made: object, routes: ReadonlyMap<string, RouteOptions>): Json {
  const document = made as Document; // what @fastify/swagger has built from the above
  const answers: Json = {};
  const described = Object.entries(document.paths).map(([path, operations]) => [
    path,
    Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => {
        const route = routes.get(operation.operationId);
        return [method, route ? describeOperation(operation, route, answers) : operation];
      }),
    ),
  ]);
  const { schemas, ...components } = document.components;
  const tidied = tidy(schemas) as typeof schemas;
  const names = inputNames(tidied);
  const paths = renameReferences(tidy(Object.fromEntries(described)), names);
  const renamed = renameReferences(tidied, names) as typeof schemas;
  return {
    ...document,
    paths,
    components: { ...components, responses: answers, schemas: usedSchemas(renamed, [paths, answers]) },
  };
}

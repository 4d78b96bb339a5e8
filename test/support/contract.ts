import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';

export interface Json {
  [key: string]: unknown;
}

export interface Operation {
  operationId: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: {
    in: 'path' | 'query' | 'header';
    name: string;
    required?: boolean;
    description?: string;
    schema: Json;
  }[];
  requestBody?: { required: boolean; content: Record<string, { schema: Json; example?: unknown }> };
  responses: Record<string, Json>;
}

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; responses: Record<string, Json>; securitySchemes: Record<string, Json> };
}

export interface AnswerDocument {
  description: string;
  headers?: Record<string, { required?: boolean; schema: Json }>;
  content?: Record<string, { schema: Json; example?: unknown }>;
}

export interface Route {
  method: string;
  /** `/v1/orders/{number}` */
  path: string;
  operation: Operation;
}

export interface SeenAnswer {
  method: string;
  /** With its query. */
  path: string;
  status: number;
  headers: Headers;
  text: string;
}

/** What may be said before a route is known; the introduction of the document names them. */
const beforeRoutes = new Set([408, 414, 417, 431]);

/** The API as its document promises it; says where a real answer is not as promised. */
export class Contract {
  readonly document: OpenApiDocument;
  readonly routes: Route[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #patterns: { pattern: RegExp; route: Route }[];

  constructor(document: OpenApiDocument) {
    this.document = document;
    ajvFormats.default(this.#ajv);
    this.#ajv.addSchema(document, 'document');
    this.routes = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
    this.#patterns = this.routes
      .map((route) => ({ pattern: patternOf(route.path), route }))
      .toSorted((a, b) => a.route.path.split('{').length - b.route.path.split('{').length); // `newest` before `{number}`
  }

  static async read(baseUrl: string): Promise<Contract> {
    return new Contract((await (await fetch(new URL('/openapi.json', baseUrl))).json()) as OpenApiDocument);
  }

  routeOf(method: string, path: string): Route | undefined {
    const pathname = path.split(/[?#]/)[0] ?? '';
    return this.#patterns.find(({ route, pattern }) => route.method === method && pattern.test(pathname))?.route;
  }

  /** The answer that an operation promises with a status, with what it refers to. */
  answerOf({ responses }: Operation, status: number): AnswerDocument | undefined {
    const answer = responses[status];
    const name = typeof answer?.$ref === 'string' ? answer.$ref.split('/').at(-1) : undefined;
    return (name === undefined ? answer : this.document.components.responses[name]) as AnswerDocument | undefined;
  }

  /** What is wrong with a value by a schema of the document. */
  faultsOf(schema: Json, value: unknown): string[] {
    const key = JSON.stringify(schema);
    let validate = this.#validators.get(key);
    if (!validate) {
      validate = this.#ajv.compile(referToDocument(schema) as Json);
      this.#validators.set(key, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || 'it'} ${message}`);
  }

  /** Where an answer is not as the document says: none is the good case. */
  check({ method, path, status, headers, text }: SeenAnswer): string[] {
    const contentType = headers.get('content-type')?.split(';')[0] ?? null;
    const asked = method === 'HEAD' ? 'GET' : method;
    const route = this.routeOf(asked, path);
    if (!route || beforeRoutes.has(status)) return status < 400 ? [] : this.#checkProblem(contentType, text, method);
    if (method === 'HEAD' && status === 404) return []; // a stream has no head alone
    const answer = this.answerOf(route.operation, status);
    if (!answer) {
      return [`${status} is none of its answers, which are ${Object.keys(route.operation.responses).join(', ')}`];
    }
    const faults = Object.entries(answer.headers ?? {}).flatMap(([name, { required, schema }]) => {
      const value = headers.get(name);
      if (value === null) return required ? [`the header ${name} is missing`] : [];
      return this.faultsOf(schema, schema.type === 'integer' ? Number(value) : value).map(
        (fault) => `header ${name}: ${fault}`,
      );
    });
    if (method === 'HEAD') return faults;
    if (!answer.content) return text === '' ? faults : [...faults, 'has a body, and should have none'];
    const media = contentType === null ? undefined : answer.content[contentType];
    if (!media) return [...faults, `its type is ${contentType}, not ${Object.keys(answer.content).join(' or ')}`];
    if (!contentType?.endsWith('json')) return faults;
    const body = parse(text);
    if (body === undefined) return [...faults, 'its body is not JSON'];
    return [...faults, ...this.faultsOf(media.schema, body)];
  }

  #checkProblem(contentType: string | null, text: string, method: string): string[] {
    if (method === 'HEAD') return [];
    if (contentType !== 'application/problem+json') return [`a fault of the type ${contentType}`];
    return this.faultsOf({ $ref: '#/components/schemas/Problem' }, parse(text));
  }
}

/** Notes every answer that this process gets from a server by `fetch`, and where one is not as the document says. */
export function recordAnswers(contract: Contract, baseUrl: string): { seen: Map<string, number>; stop(): string[] } {
  const original = globalThis.fetch;
  const seen = new Map<string, number>();
  const faults: string[] = [];
  globalThis.fetch = async (input, init) => {
    const response = await original(input, init);
    const url = new URL(input instanceof Request ? input.url : String(input));
    if (url.origin !== new URL(baseUrl).origin) return response;
    const method = (init?.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase();
    const path = url.pathname + url.search;
    const { status, headers } = response;
    const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
    const text = isStream ? '' : await response.clone().text();
    faults.push(
      ...contract
        .check({ method, path, status, headers, text })
        .map((fault) => `${method} ${path} ${status}: ${fault}`),
    );
    const { operation } = contract.routeOf(method, path) ?? {};
    const name = `${operation?.operationId ?? 'none'} ${status}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return response;
  };
  return {
    seen,
    stop() {
      globalThis.fetch = original;
      return faults;
    },
  };
}

const patternOf = (path: string) => new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]*')}$`);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** References stand for places in the document, wherever the schema that has them is compiled. */
function referToDocument(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(referToDocument);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string' ? inner.replace(/^#/, 'document#') : referToDocument(inner),
    ]),
  );
}

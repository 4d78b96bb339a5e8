import type { Contract, SeenAnswer } from '../support/contract.ts';
import type { Caller } from './callers.ts';
import type { FuzzRequest } from './requests.ts';
import type { Scene } from './scene.ts';
import type { SentRequest } from './send.ts';

/** What nobody outside should read. */
const inside = /node_modules|\.ts:\d|\bat \w+ \(|syntax error|invalid byte|duplicate key|violates|bullmq|slonik|ECONN/i;
const strangers: readonly Caller[] = ['nobody', 'signed out', 'wrong admin', 'forged'];

/** Of a request that is no good one as HTTP, or one too many, whoever sends it. */
const isBeforeTheDoor = (status: number, body: Body | undefined) =>
  [414, 429, 431].includes(status) ||
  (status === 404 && body?.code === 'route_not_found') ||
  (status === 400 && body?.errors === undefined);

/** What is wrong with an answer, besides what it leaves behind. */
export function judge(
  contract: Contract,
  scene: Scene,
  request: FuzzRequest,
  sent: SentRequest,
  answer: SeenAnswer,
): string[] {
  const faults = contract.check(answer);
  const body = parse(answer.text);
  const code = String(body?.code ?? '');
  if (answer.status >= 500 && !(answer.status === 503 && /^(service_unavailable|intake_overloaded)$/.test(code)))
    faults.push(`a ${answer.status}`);
  if (answer.status >= 400 && code !== 'route_not_found' && inside.test(String(body?.detail)))
    faults.push(`says what is inside: ${body?.detail}`);
  faults.push(...judgeDoor(contract, request, sent, answer, body), ...judgeAcceptance(contract, sent, answer));
  if (answer.status < 300) note(scene, request, body);
  faults.push(...judgeVisibility(scene, request, answer, body));
  return faults;
}

/** Who may not, is told so before anything else is looked at. */
function judgeDoor(
  contract: Contract,
  request: FuzzRequest,
  sent: SentRequest,
  { status }: SeenAnswer,
  body: Body | undefined,
): string[] {
  const route = contract.routeOf(sent.method === 'HEAD' ? 'GET' : sent.method, sent.path);
  if (!route || isBeforeTheDoor(status, body)) return [];
  const { security = [], description = '' } = route.operation;
  const caller = 'authorization' in request.headers ? 'forged' : request.caller;
  if (security.length === 0)
    return [401, 403].includes(status) && !/auth/.test(route.path) ? [`refuses ${caller}`] : [];
  const takesAdmin = security.some((one) => 'basic' in one);
  const takesAccounts = security.some((one) => 'bearer' in one);
  if (caller === 'admin') return takesAdmin === (status !== 401) ? [] : [`${status} for the admin`];
  if (strangers.includes(caller) || !takesAccounts) return status === 401 ? [] : [`${status} for ${caller}`];
  const roles = /role(?:s)? ([A-Z, ]+)\./.exec(description)?.[1]?.split(', ');
  const role = caller === 'other NORMAL' ? 'NORMAL' : caller;
  if (roles && !roles.includes(role)) return status === 403 ? [] : [`${status} for the role ${role}`];
  return status === 401 ? [`401 for ${caller}`] : [];
}

/** What the document does not allow is not taken. */
function judgeAcceptance(contract: Contract, sent: SentRequest, { status }: SeenAnswer): string[] {
  const route = contract.routeOf(sent.method, sent.path);
  const schema = route?.operation.requestBody?.content['application/json']?.schema;
  if (!schema || status >= 300 || sent.body === undefined) return [];
  const faults = contract.faultsOf(schema, JSON.parse(sent.body));
  return faults.map((fault) => `takes a body that the document does not allow: ${fault}`);
}

/** An order is there for its owner and for managers, and for nobody else. */
function judgeVisibility(
  { owners }: Scene,
  request: FuzzRequest,
  { path, method, status }: SeenAnswer,
  body?: Body,
): string[] {
  const caller = 'authorization' in request.headers ? 'forged' : request.caller;
  const seesAll = caller === 'MANAGER';
  const number = Number(/^\/v1\/orders\/(\d+)(\/events)?(\?|$)/.exec(path)?.[1]);
  const owner = owners.get(number);
  if (method === 'GET' && owner && status < 300 && !seesAll && owner !== caller)
    return [`shows order ${number} of ${owner} to ${caller}`];
  if (method === 'GET' && owner && status === 404 && (seesAll || owner === caller))
    return [`hides order ${number} from ${caller}`];
  if (!path.startsWith('/v1/orders') || seesAll || status >= 300) return [];
  const shown = [...(body?.orders ?? []), ...(body?.order ? [body.order] : [])];
  return shown
    .filter((order) => owners.get(order.number) !== caller)
    .map((order) => `shows order ${order.number} of ${owners.get(order.number)} to ${caller}`);
}

/** What later requests may be about. */
function note(scene: Scene, { caller, method, route }: FuzzRequest, body: Body | undefined): void {
  if (!body?.order || method !== route.method) return;
  const { number, attempt } = body.order;
  if (route.operation.operationId === 'placeOrder' && !scene.owners.has(number)) scene.owners.set(number, caller);
  if (route.operation.operationId === 'claimOrder') scene.subject = { orderNumber: number, attempt };
}

interface Body {
  code?: string;
  detail?: string;
  errors?: unknown[];
  order?: { number: number; attempt: number };
  orders?: { number: number; attempt: number }[];
}

function parse(text: string): Body | undefined {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return undefined;
  }
}

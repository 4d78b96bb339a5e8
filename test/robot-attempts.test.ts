import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lane } from '../src/domain/lane.ts';
import { manager, normal, vip } from './support/api.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { addRobotAccount, bot, claimed, createRobot, placeInLanes, type Robot, untilWaiting } from './support/robot.ts';
import { readTimeline, typesOf, untilHandedOver } from './support/timeline.ts';
import { until } from './support/until.ts';

describe.each(backends)('what a robot has in hand, on %s', (backend) => {
  let engine: Engine;
  let robot: Robot;

  beforeEach(async () => {
    engine = await startEngine(backend, { roles: ['relay'], env: { ORDER_MAX_ATTEMPTS: '2' } });
    robot = createRobot(engine.api);
  });
  afterEach(() => engine.close());

  const place = (...lanes: Lane[]) => placeInLanes(engine, ...lanes);
  const story = async (number: number) => {
    const order = (await readTimeline(engine.database)).find((one) => one.number === number);
    if (!order) throw new Error(`there is no order ${number}`);
    return order;
  };
  const setRole = async (role: string) => {
    const [user] = await engine.database.query<{ id: string }>('SELECT id FROM users WHERE email = $1', [bot]);
    const answer = await engine.api.call('PATCH', `/v1/users/${user?.id}`, { as: manager, body: { role } });
    expect(answer.status).toBe(200);
  };

  it('is held to its own current attempt', async () => {
    const other = await addRobotAccount(engine.api, 'second-bot@twolane.test');
    await place('normal', 'normal');
    const mine = await claimed(robot);
    const theirs = await claimed(other);
    const wrong = [
      { ...mine, attempt: 2 },
      theirs,
      { number: 999_999, attempt: 1 },
      { number: Number.MAX_SAFE_INTEGER, attempt: 2_147_483_647 },
    ];
    for (const order of wrong) {
      for (const answer of [robot.heartbeat(order), robot.complete(order), robot.fail(order, 'no', false)])
        expect(await answer).toMatchObject({ status: 409, body: { code: 'attempt_superseded' } });
    }
    const never = await addRobotAccount(engine.api, 'third-bot@twolane.test');
    expect(await never.complete(mine)).toMatchObject({ status: 409, body: { code: 'attempt_superseded' } });
    expect((await readTimeline(engine.database)).map(typesOf)).toEqual([
      ['placed', 'started'],
      ['placed', 'started'],
    ]);
    expect(await robot.heartbeat(mine)).toMatchObject({ status: 200, body: { order: { number: mine.number } } });
  });

  it('has the same end once more when the answer to its complete or fail was lost', async () => {
    const other = await addRobotAccount(engine.api, 'second-bot@twolane.test');
    const [one] = await place('normal');
    const order = await claimed(robot);
    for (let repeat = 0; repeat < 3; repeat++)
      expect(await robot.complete(order)).toMatchObject({ status: 200, body: { order: { status: 'complete' } } });
    expect(await robot.fail(order, 'too late', true)).toMatchObject({ status: 409 });
    expect(await robot.heartbeat(order)).toMatchObject({ status: 409 });
    expect(await other.claim()).toBeNull();
    expect(await other.complete(order)).toMatchObject({ status: 409 });
    expect(typesOf(await story(one ?? 0))).toEqual(['placed', 'started', 'completed']);

    await place('normal');
    const second = await claimed(robot);
    for (let repeat = 0; repeat < 3; repeat++)
      expect(await robot.fail(second, 'no soup', false)).toMatchObject({
        status: 200,
        body: { order: { status: 'failed', failureReason: 'no soup' } },
      });
    expect(await robot.complete(second)).toMatchObject({ status: 409 });
    expect((await story(second.number)).failureCount).toBe(1);
  });

  it('fails an order for another try, and the last one for good', async () => {
    await place('normal');
    const first = await claimed(robot);
    expect(await robot.fail(first, 'jammed', true)).toMatchObject({
      status: 200,
      body: { order: { status: 'pending' } },
    });
    expect(await robot.fail(first, 'jammed', true)).toMatchObject({ status: 200 });
    const second = await claimed(robot, 10);
    expect(second).toMatchObject({ number: first.number, attempt: 2 });
    expect(await robot.complete(first), 'the first attempt is over').toMatchObject({ status: 409 });
    expect(await robot.fail(second, 'jammed', true)).toMatchObject({
      status: 200,
      body: { order: { status: 'failed', failureReason: 'attempts_exhausted' } },
    });
    const after = await story(first.number);
    expect(typesOf(after)).toEqual(['placed', 'started', 'retry_scheduled', 'started', 'failed']);
    expect(after.failureCount).toBe(2);
  });

  it('lets go of an order that a manager cancels', async () => {
    const [, next] = await place('normal', 'normal');
    const order = await claimed(robot);
    const cancelled = await engine.api.call('POST', `/v1/orders/${order.number}/cancel`, { as: manager, body: {} });
    expect(cancelled.status).toBe(200);
    for (const answer of [robot.heartbeat(order), robot.complete(order), robot.fail(order, 'gone', true)])
      expect(await answer).toMatchObject({ status: 409, body: { code: 'attempt_superseded' } });
    expect((await engine.api.order(order.number)).status).toBe('cancelled');
    expect((await claimed(robot)).number).toBe(next);
  });

  it('is out of service when its account has another role: its order is back in its place, and not counted against it', async () => {
    const [first] = await place('normal', 'normal');
    const order = await claimed(robot);
    expect(order.number).toBe(first);
    await setRole('NORMAL');
    expect(await robot.heartbeat(order)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    await until('pending again', async () => (await engine.api.order(order.number)).status === 'pending', 4_000);
    expect(await engine.api.bots()).toEqual([]);
    expect(await story(order.number)).toMatchObject({ failureCount: 0, attempt: 1 });
    await setRole('BOT');
    expect(await robot.heartbeat(order)).toMatchObject({ status: 409 });
    await untilHandedOver(engine.database);
    expect(await claimed(robot, 5)).toMatchObject({ number: first, attempt: 2, botNumber: 2 });
  });

  it('gets no order for which it was waiting when its role was taken away', async () => {
    await robot.claim();
    const waiting = robot.call('claim?wait=20');
    await untilWaiting(engine);
    await setRole('NORMAL');
    const [number] = await place('normal');
    expect(await waiting).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const other = await addRobotAccount(engine.api, 'second-bot@twolane.test');
    expect((await claimed(other, 5)).number).toBe(number);
  });

  it('gives its order back when its account is deleted', async () => {
    await place('vip');
    const order = await claimed(robot);
    await engine.database.query('UPDATE users SET deleted_at = now() WHERE email = $1', [bot]);
    await until('pending again', async () => (await engine.api.order(order.number)).status === 'pending', 4_000);
    expect(await engine.api.bots()).toEqual([]);
  });
});

describe('calls of robots that are refused', () => {
  let engine: Engine;
  let robot: Robot;

  beforeAll(async () => {
    engine = await startEngine('postgres', { roles: [] });
    robot = createRobot(engine.api);
  });
  afterAll(() => engine.close());

  it.each([
    ['a wait that is too long', 'claim?wait=21', undefined],
    ['a wait before now', 'claim?wait=-1', undefined],
    ['a wait that is no number', 'claim?wait=long', undefined],
    ['an unknown parameter', 'claim?lane=vip', undefined],
    ['an unknown field', 'claim', { lane: 'vip' }],
    ['no attempt', 'heartbeat', { orderNumber: 1001 }],
    ['progress', 'heartbeat', { orderNumber: 1001, attempt: 1, progress: 0.5 }],
    ['attempt 0', 'complete', { orderNumber: 1001, attempt: 0 }],
    ['an attempt beyond the database', 'complete', { orderNumber: 1001, attempt: 2_147_483_648 }],
    ['an order that is a text', 'complete', { orderNumber: '1001', attempt: 1 }],
    ['no reason', 'fail', { orderNumber: 1001, attempt: 1, retryable: true }],
    ['an empty reason', 'fail', { orderNumber: 1001, attempt: 1, reason: '', retryable: true }],
    ['a null character', 'fail', { orderNumber: 1001, attempt: 1, reason: 'a\0', retryable: true }],
    ['retryable as a text', 'fail', { orderNumber: 1001, attempt: 1, reason: 'x', retryable: 'yes' }],
  ])('is refused with %s', async (_name, what, body) => {
    expect(await robot.call(what, body)).toMatchObject({ status: 400, body: { code: 'input_invalid' } });
  });

  it('is nobody else: other roles are refused, and so is nobody', async () => {
    for (const what of ['claim', 'heartbeat', 'complete', 'fail']) {
      for (const as of [normal, vip, manager])
        expect(await createRobot(engine.api, as).call(what)).toMatchObject({
          status: 403,
          body: { code: 'forbidden' },
        });
      expect((await engine.api.call('POST', `/v1/bots/self/${what}`)).status).toBe(401);
    }
    expect(await engine.api.bots()).toEqual([]);
  });
});

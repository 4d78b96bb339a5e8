import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { type RunningWeb, startWeb } from '../src/server.ts';
import { manager } from './support/api.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startProcess } from './support/engine-process.ts';
import { bot } from './support/robot.ts';
import { expectEachCompletedOnce, readTimeline, typesOf, untilAllComplete } from './support/timeline.ts';
import { until } from './support/until.ts';

/** The sample client of the documentation, as somebody runs it. */
describe.each(backends)('docs/examples/robot, on %s', (backend) => {
  let engine: Engine;
  let web: RunningWeb;
  const robots: EngineProcess[] = [];

  beforeEach(async () => {
    engine = await startEngine(backend, { roles: ['relay'] });
    web = await startRobotsWeb();
  });
  afterEach(async () => {
    await killAll(robots.splice(0));
    await web.close();
    await engine.close();
  });

  /** The web process that robots talk to: its access tokens are good for a second. */
  const startRobotsWeb = (port = 0) =>
    startWeb(
      readConfig({ ...engine.environment, PORT: String(port), JWT_ACCESS_TOKEN_DURATION: '1s' }),
      createLog('fatal', 'test'),
    );

  async function startRobot(workMs: number, more: Record<string, string> = {}): Promise<EngineProcess> {
    const account = { ROBOT_EMAIL: bot, ROBOT_PASSWORD: 'twolane-demo' };
    const environment = { TWOLANE_URL: web.url, WORK_MS: String(workMs), ...account, ...more };
    const robot = startProcess(['docs/examples/robot/robot.ts'], environment);
    robots.push(robot);
    return robot;
  }

  it('does orders over several access tokens, the one that comes while it waits included, and ends at Ctrl-C', async () => {
    const robot = await startRobot(300);
    for (const lane of ['normal', 'vip', 'normal', 'vip', 'normal'] as const) await engine.api.place(lane);
    await untilAllComplete(engine.database);
    const { number } = await engine.api.place('normal');
    await robot.untilLine(new RegExp(`order ${number} complete`));
    expectEachCompletedOnce(await readTimeline(engine.database));
    const { sessions, refreshes } = (
      await engine.database.query<{ sessions: number; refreshes: number }>(
        `SELECT count(DISTINCT session.id)::int AS sessions, count(token.first_used_at)::int AS refreshes
         FROM sessions session JOIN users ON users.id = session.user_id JOIN refresh_tokens token ON token.session_id = session.id
         WHERE users.email = $1`,
        [bot],
      )
    )[0]!;
    expect(sessions, 'signed in once').toBe(1);
    expect(refreshes, 'and refreshed since').toBeGreaterThan(0);

    const last = await engine.api.place('vip');
    await robot.untilLine(new RegExp(`order ${last.number} begun`));
    robot.signal('SIGINT');
    expect(await robot.ended).toEqual({ code: 0, signal: null });
    expect(robot.lines.at(-1)).toMatch(/robot stopped$/);
    expect((await engine.api.order(last.number)).status, 'what it had in hand is done').toBe('complete');
  });

  it('lets go of an order that a manager cancels, and goes on when the engine was away', async () => {
    const robot = await startRobot(15_000);
    const { number } = await engine.api.place('vip');
    await robot.untilLine(new RegExp(`order ${number} begun`));
    const cancelled = await engine.api.call('POST', `/v1/orders/${number}/cancel`, { as: manager, body: {} });
    expect(cancelled.status).toBe(200);
    await robot.untilLine(new RegExp(`order ${number} let go`));
    await web.close();
    web = await startRobotsWeb(Number(new URL(web.url).port));
    const next = await engine.api.place('vip');
    await robot.untilLine(new RegExp(`order ${next.number} begun`));
    robot.signal('SIGKILL');
    await robot.ended;
    const [first, second] = await readTimeline(engine.database);
    expect(typesOf(first!)).toEqual(['placed', 'started', 'cancelled']);
    expect(typesOf(second!)).toEqual(['placed', 'started']);
  });

  it('says why it may not, and ends', async () => {
    const stranger = await startRobot(10, { ROBOT_PASSWORD: 'not the password' });
    expect(await stranger.ended).toMatchObject({ code: 1 });
    expect(stranger.lines.join('\n')).toMatch(/credentials_invalid/);
    const customer = await startRobot(10, { ROBOT_EMAIL: 'normal@twolane.test' });
    expect(await customer.ended).toMatchObject({ code: 1 });
    expect(customer.lines.join('\n')).toMatch(/forbidden/);
    await until('no robot', async () => (await engine.api.bots()).length === 0);
  });
});

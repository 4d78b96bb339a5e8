import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EventParser, type ServerEvent } from '../src/cli/event-parser.ts';
import { type Board, type BoardOrderEvent, boardSchema } from '../src/domain/board.ts';
import type { Order } from '../src/domain/order.ts';
import { vip } from './support/api.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

let engine: Engine;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [] });
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => engine.close());

interface Viewer {
  events: ServerEvent[];
  comments: string[];
  isEnded: boolean;
  /** What it was told about orders: `1001 pending→processing`. */
  moves(): string[];
  snapshots(): Board[];
  close(): Promise<void>;
}

async function watch({ lastEventId, query = '' }: { lastEventId?: string; query?: string } = {}): Promise<Viewer> {
  const abort = new AbortController();
  const response = await fetch(`${engine.web.url}/v1/board/stream${query}`, {
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    signal: abort.signal,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-accel-buffering')).toBe('no');
  const events: ServerEvent[] = [];
  const viewer: Viewer = {
    events,
    comments: [],
    isEnded: false,
    moves: () =>
      events.flatMap(({ event, data }) => {
        if (event !== 'order') return [];
        const { number, from, to } = JSON.parse(data) as BoardOrderEvent;
        return [`${number} ${from ?? ''}→${to}`];
      }),
    snapshots: () => events.flatMap(({ event, data }) => (event === 'snapshot' ? [JSON.parse(data) as Board] : [])),
    async close() {
      abort.abort();
      await reading;
    },
  };
  const reading = (async () => {
    const parser = new EventParser();
    try {
      for await (const bytes of response.body!.pipeThrough(new TextDecoderStream())) events.push(...parser.push(bytes));
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    }
    viewer.isEnded = true;
  })();
  closers.push(viewer.close);
  return viewer;
}

const firstEvent = (viewer: Viewer) => until('a first event', () => viewer.events[0]);

async function connect(): Promise<pg.Client> {
  const client = new pg.Client(engine.database.url);
  await client.connect();
  closers.push(() => client.end());
  return client;
}

/** A move of our own, so that the test decides when it commits. */
const cancelText = `
  WITH moved AS (
    UPDATE orders SET status = 'cancelled', cancelled_at = now() WHERE number = $1 AND status = 'pending' RETURNING number, lane
  )
  INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, actor)
  SELECT number, lane, 'cancelled', 'pending', 'cancelled', 0, 'test' FROM moved RETURNING xid::text AS xid, id::text AS id`;
const cancel = async (client: pg.Client, number: number) =>
  (await client.query<{ xid: string; id: string }>(cancelText, [number])).rows[0]!;
const announce = () => engine.database.query("SELECT pg_notify('twolane_events', '')");

/** Told to everybody by now: an order that was placed afterwards has come through. */
async function passMarker(viewer: Viewer): Promise<string> {
  const { number } = await engine.api.place();
  const move = `${number} →pending`;
  await until(`order ${number} on the stream`, () => viewer.moves().includes(move));
  return move;
}

async function countByStatus(): Promise<Board['counts']> {
  const rows = await engine.database.query<{ status: string; count: string }>(
    'SELECT status, count(*) FROM orders GROUP BY status',
  );
  const count = (status: string) => Number(rows.find((row) => row.status === status)?.count ?? 0);
  return { pending: count('pending'), processing: count('processing'), complete: count('complete') };
}

describe('GET /v1/board', () => {
  it('shows the orders in the order in which bots take them, and no personal data', async () => {
    const placed = [await engine.api.place('normal'), await engine.api.place('vip'), await engine.api.place('normal')];
    const later = await engine.api.place('vip');
    const answer = await engine.api.call<Board>('GET', '/v1/board');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const board = boardSchema.strict().parse(answer.body);
    const numbers = [placed[1], later, placed[0], placed[2]].map((order) => order!.number);
    const ours = board.pending.filter(({ number }) => numbers.includes(number));
    expect(ours.map(({ number }) => number)).toEqual(numbers);
    expect(ours[0]).toEqual({ number: numbers[0], lane: 'vip', placedAt: placed[1]!.placedAt });
    // Counts stand at the cursor, which waits for older transactions, such as one that gathers statistics.
    await expect.poll(async () => (await engine.api.board()).counts).toEqual(await countByStatus());
  });

  it('names the sound of a complete order: that of its first product that has one', async () => {
    const products = [{ sku: 'silent', name: 'Silent', price: { amountMinor: 100, currency: 'EUR' } }];
    const imported = await engine.api.call('POST', '/v1/admin/products', { headers: adminHeader, body: { products } });
    expect(imported.status).toBe(200);
    const place = async (...skus: string[]) => {
      const body = { items: skus.map((sku) => ({ sku, quantity: 1 })), payment: { method: 'counter' } };
      return (await engine.api.call<{ order: Order }>('POST', '/v1/orders', { as: vip, body })).body.order.number;
    };
    const sounds = new Map([
      [await place('silent', 'espresso'), /^\/media\/sounds\/ready\.[0-9a-f]{12}\.wav$/],
      [await place('silent'), /^null$/],
    ]);
    const workers = await engine.startWorkers(['bots', 'relay']);
    await engine.api.addBot();
    await until('both complete', async () => {
      const { complete } = await engine.api.board();
      const heard = new Map(complete.map(({ number, soundUrl }) => [number, soundUrl]));
      return [...sounds].every(([number, sound]) => sound.test(String(heard.get(number))));
    });
    await workers.close();
    await engine.api.removeBot();
  });

  it('is painted once for all who ask within 200 ms', async () => {
    const { number } = await engine.api.place(); // the last picture is no longer true
    const times = new Set<string>();
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const { asOf, pending } = await engine.api.board();
        times.add(asOf);
        expect(pending.at(-1)).toMatchObject({ number });
      }),
    );
    expect(times.size).toBe(1);
  });

  it.each(['', ' while another transaction is open'])(
    'shows an order to whoever asks after it was placed%s',
    async (when) => {
      if (when) await (await connect()).query('BEGIN; SELECT pg_current_xact_id()');
      for (let round = 0; round < 5; round += 1) {
        const { number } = await engine.api.place();
        expect((await engine.api.board()).pending.at(-1)).toMatchObject({ number });
      }
    },
  );
});

describe('GET /v1/board/stream', () => {
  it('begins with a snapshot and tells every move after it once, with growing ids', async () => {
    const viewer = await watch();
    const { event, id, data } = await firstEvent(viewer);
    expect([event, id]).toEqual(['snapshot', (JSON.parse(data) as Board).lastEventId]);
    const orders = [await engine.api.place(), await engine.api.place('vip')];
    await engine.api.call('POST', `/v1/orders/${orders[0]!.number}/cancel`, { as: 'manager@twolane.test', body: {} });
    const marker = await passMarker(viewer);
    expect(viewer.moves()).toEqual([
      `${orders[0]!.number} →pending`,
      `${orders[1]!.number} →pending`,
      `${orders[0]!.number} pending→cancelled`,
      marker,
    ]);
    const cursors = viewer.events.map((one) => one.id.split('-').map(BigInt)) as [bigint, bigint][];
    const sorted = [...cursors].sort((a, b) => Number(a[0] - b[0] || a[1] - b[1]));
    expect(cursors).toEqual(sorted);
  });

  it('tells who comes back exactly what was missed', async () => {
    const first = await watch();
    await firstEvent(first);
    await passMarker(first);
    const { id } = first.events.at(-1)!;
    await first.close();
    const missed = [await engine.api.place(), await engine.api.place('vip'), await engine.api.place()];
    const lines = missed.map(({ number }) => `${number} →pending`);
    for (const back of [await watch({ lastEventId: id }), await watch({ query: `?lastEventId=${id}` })]) {
      const marker = await passMarker(back);
      expect(back.moves().slice(0, 4)).toEqual([...lines, back.moves()[3]]);
      expect(back.moves()).toContain(marker);
      expect(back.snapshots()).toEqual([]);
    }
  });

  it.each([
    ['malformed', 'yesterday'],
    ['too old', '1-1'],
    ['ahead of everything', '18000000000000000000-1'],
  ])('begins anew when the last id is %s', async (_, lastEventId) => {
    const viewer = await watch({ lastEventId });
    expect((await firstEvent(viewer)).event).toBe('snapshot');
  });

  it('tells the bots when their counts change', async () => {
    const viewer = await watch();
    await firstEvent(viewer);
    await engine.api.addBot();
    const told = await until('a bots event', () => viewer.events.find(({ event }) => event === 'bots'));
    expect(JSON.parse(told.data)).toEqual({ total: 1, idle: 0, processing: 0 });
    expect(told.id).toBe(viewer.snapshots()[0]!.lastEventId);
    await engine.api.removeBot();
    await until('the former counts', () => viewer.events.at(-1)!.data === '{"total":0,"idle":0,"processing":0}');
  });

  it('answers HEAD without becoming a viewer', async () => {
    expect((await engine.api.call('HEAD', '/v1/board/stream')).status).toBe(404);
  });
});

describe('an event that commits late', () => {
  it('is told once, also to a viewer who comes back in between', async () => {
    const orders = [await engine.api.place(), await engine.api.place()];
    const stayed = await watch();
    await firstEvent(stayed);
    const left = await watch();
    const { id } = await firstEvent(left);
    const [slow, quick] = [await connect(), await connect()];
    await slow.query('BEGIN');
    const late = await cancel(slow, orders[0]!.number);
    const early = await cancel(quick, orders[1]!.number);
    expect(Number(late.id)).toBeLessThan(Number(early.id));
    await announce();
    await left.close();
    const back = await watch({ lastEventId: id });
    await until('the stream to begin', () => back.events.length > 0);
    expect(stayed.moves()).toEqual([]);
    await slow.query('COMMIT');
    const marker = await passMarker(stayed);
    const both = [`${orders[0]!.number} pending→cancelled`, `${orders[1]!.number} pending→cancelled`, marker];
    expect(stayed.moves()).toEqual(both);
    await until('the marker', () => back.moves().includes(marker));
    expect(back.moves()).toEqual(both);
    expect([...stayed.snapshots().slice(1), ...back.snapshots()]).toEqual([]);
  });

  it('is told in the order of the transactions when its id is larger but its transaction older', async () => {
    const orders = [await engine.api.place(), await engine.api.place()];
    const viewer = await watch();
    await firstEvent(viewer);
    const [older, younger] = [await connect(), await connect()];
    await older.query('BEGIN');
    await older.query('SELECT pg_current_xact_id()');
    const first = await cancel(younger, orders[0]!.number);
    const second = await cancel(older, orders[1]!.number);
    expect(Number(second.xid)).toBeLessThan(Number(first.xid));
    expect(Number(second.id)).toBeGreaterThan(Number(first.id));
    await older.query('COMMIT');
    const marker = await passMarker(viewer);
    expect(viewer.moves()).toEqual([
      `${orders[1]!.number} pending→cancelled`,
      `${orders[0]!.number} pending→cancelled`,
      marker,
    ]);
  });
});

describe('a transaction that stays open', () => {
  it('does not make the board stand still', async () => {
    const viewer = await watch();
    await firstEvent(viewer);
    const client = await connect();
    await client.query('BEGIN');
    await client.query('UPDATE users SET updated_at = now()');
    const order = await engine.api.place('vip');
    const shown = await until(
      'a snapshot with the order',
      () => viewer.snapshots().find(({ pending }) => pending.some(({ number }) => number === order.number)),
      5_000,
    );
    expect(viewer.moves()).toEqual([]);
    expect(shown.counts).toEqual(await countByStatus());
    const { id } = viewer.events.at(-1)!;
    expect((await firstEvent(await watch({ lastEventId: id }))).event).toBe('snapshot');
    expect((await engine.api.board()).counts).toEqual(await countByStatus());

    const counted = viewer.snapshots().length;
    await client.query('COMMIT');
    await until('the snapshot that ends it', () => viewer.snapshots().length > counted);
    const last = viewer.snapshots().at(-1)!;
    expect(last.lastEventId).toMatch(/^\d+-\d+$/);
    expect(last.counts).toEqual(await countByStatus());
    const marker = await passMarker(viewer);
    expect(viewer.moves()).toEqual([marker]);
    // whoever comes back with an id from meanwhile gets a picture, not moves that it has counted already
    expect((await firstEvent(await watch({ lastEventId: id }))).event).toBe('snapshot');
  });

  it('is there before the first viewer looks, and the counts still hold', async () => {
    await engine.restartWeb();
    const client = await connect();
    await client.query('BEGIN');
    await client.query('UPDATE users SET updated_at = now()');
    const order = await engine.api.place();
    const viewer = await watch();
    await firstEvent(viewer);
    await client.query('COMMIT');
    const marker = await passMarker(viewer);
    expect(viewer.moves()).toEqual([`${order.number} →pending`, marker]);
    const { counts } = viewer.snapshots()[0]!;
    expect({ ...counts, pending: counts.pending + 2 }).toEqual(await countByStatus());
  });
});

describe('many moves at once, and viewers that come and go', () => {
  it('tells every event once and counts right', async () => {
    const viewer = await watch();
    await firstEvent(viewer);
    const seen: ServerEvent[] = [];
    let id = viewer.events[0]!.id;
    let isOver = false;
    const restless = (async () => {
      while (!isOver) {
        const visit = await watch({ lastEventId: id });
        await until('a few events', () => visit.events.length > 5 || isOver);
        await visit.close();
        seen.push(...visit.events.filter(({ event }) => event === 'order'));
        id = visit.events.at(-1)?.id ?? id;
      }
    })();
    const newcomers: Viewer[] = [];
    const coming = (async () => {
      while (!isOver) {
        const newcomer = await watch();
        await firstEvent(newcomer);
        newcomers.push(newcomer);
      }
    })();
    const clients = await Promise.all(Array.from({ length: 6 }, connect));
    await Promise.all(
      clients.map(async (client) => {
        for (let round = 0; round < 25; round += 1) {
          const order = await engine.api.place(round % 3 === 0 ? 'vip' : 'normal');
          await client.query('BEGIN');
          await cancel(client, order.number);
          await delay(Math.random() * 20);
          await client.query(round % 5 === 0 ? 'ROLLBACK' : 'COMMIT');
        }
      }),
    );
    const marker = await passMarker(viewer);
    isOver = true;
    await Promise.all([restless, coming]);
    const rest = await watch({ lastEventId: id });
    await until('the rest', () => rest.events.some(({ event }) => event === 'bots'));
    const rows = await engine.database.query<{ id: string }>(
      "SELECT xid::text || '-' || id AS id FROM order_events WHERE (xid, id) > ($1::xid8, $2) ORDER BY order_events.xid, order_events.id",
      viewer.events[0]!.id.split('-'),
    );
    const expected = rows.map((row) => row.id);
    const idsOf = (events: ServerEvent[]) => events.filter(({ event }) => event === 'order').map((one) => one.id);
    expect(viewer.moves().at(-1)).toBe(marker);
    expect(idsOf(viewer.events)).toEqual(expected);
    expect([...seen.map((one) => one.id), ...idsOf(rest.events)]).toEqual(expected);
    const counts = await countByStatus();
    expect(newcomers.length).toBeGreaterThan(2);
    for (const one of [viewer, ...newcomers]) {
      const [begin] = one.snapshots();
      if (begin!.lastEventId !== expected.at(-1)) await until('the marker', () => one.moves().includes(marker));
      const pending = one
        .moves()
        .reduce((sum, move) => sum + (move.endsWith('→pending') ? 1 : -1), begin!.counts.pending);
      expect({ ...begin!.counts, pending }).toEqual(counts);
    }
    expect((await engine.api.board()).counts).toEqual(await countByStatus());
  });
});

describe('the end of a web process', () => {
  it('ends the streams, and who comes back begins anew', async () => {
    const viewer = await watch();
    const { id } = await firstEvent(viewer);
    await engine.restartWeb();
    await until('the end of the stream', () => viewer.isEnded);
    await engine.api.place();
    expect((await firstEvent(await watch({ lastEventId: id }))).event).toBe('snapshot');
  });
});

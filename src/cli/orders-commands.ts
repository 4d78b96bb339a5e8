import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { type Lane, lanes } from '../domain/lane.ts';
import { orderEventSchema, orderSchema, type PaymentMethod, paymentMethodSchema } from '../domain/order.ts';
import { orderStatuses } from '../domain/order-status.ts';
import { laneOf } from '../domain/user.ts';
import { askFor, type Server } from './api-client.ts';
import { asCalled } from './called-as.ts';
import { BadUsageError, CliError } from './failures.ts';
import { addOrderPaymentCommands } from './order-payment-commands.ts';
import { addReceiptCommand } from './order-receipt-command.ts';
import { writeOrder, writeOrderEvents, writeOrders } from './order-text.ts';
import { accounts, connect, examples, parseCount, wantsJson } from './program-options.ts';
import { paint, printable, type Terminal, writeJson, writeLine } from './terminal.ts';
import { mayChooseLane, readRole } from './who-speaks.ts';

const orderAnswer = z.object({ order: orderSchema });
const ordersAnswer = z.object({ orders: z.array(orderSchema), nextCursor: z.string().nullable() });
const eventsAnswer = z.object({ events: z.array(orderEventSchema) });

interface Item {
  sku: string;
  quantity: number;
}

interface PlaceOptions {
  item?: Item[];
  pay: PaymentMethod;
  vip?: boolean;
  note?: string;
  customer?: string;
  lane?: Lane;
  key?: string;
}

interface ListOptions {
  status?: string;
  lane?: string;
  search?: string;
  limit?: number;
  cursor?: string;
}

export function addOrdersCommands(program: Command, terminal: Terminal): void {
  const orders = program
    .command('orders')
    .description('place, list, show, pay, cancel and refund orders')
    .addHelpText(
      'after',
      examples(
        ['twolane orders place --item espresso:2', 'two espressos'],
        ['twolane orders list', 'where they stand'],
      ),
    );
  addPlaceCommand(orders, terminal);
  addListCommand(orders, terminal);
  addShowCommand(orders, terminal);
  addCancelCommand(orders, terminal);
  addOrderPaymentCommands(orders, terminal);
  addReceiptCommand(orders, terminal);
}

function addPlaceCommand(orders: Command, terminal: Terminal): void {
  orders
    .command('place')
    .description('place an order, paid at the counter or online')
    .option('-i, --item <sku[:quantity]>', 'what to order; give it once for each product', collectItem)
    .option('--vip', `for the VIP lane: as a VIP or a manager (nobody signed in, on this machine: as ${accounts.vip})`)
    .addOption(new Option('--pay <method>', 'how it is paid').choices(paymentMethodSchema.options).default('counter'))
    .option('--note <text>', 'a note for whoever makes it')
    .option('--customer <name>', 'the name to call out')
    .addOption(new Option('--lane <lane>', 'the lane; only a manager may choose').choices(lanes))
    .option('--key <text>', 'Idempotency-Key: the same key never makes a second order (default: a random one)')
    .addHelpText(
      'after',
      examples(
        ['twolane orders place --item espresso:2 --item croissant', 'two espressos and a croissant'],
        ['twolane orders place --vip --item flat-white --note "oat milk"', 'ahead of every normal order'],
        ['twolane orders place --item espresso --pay stripe', 'says where it is paid, in a browser'],
        ['twolane orders place --item espresso --key till-4711 --json', 'safe to repeat from a script'],
      ),
    )
    .action(async (options: PlaceOptions, command: Command) => {
      if (options.item === undefined) {
        throw new BadUsageError('an order needs at least one --item', ['for example --item espresso:2']);
      }
      if (options.vip && options.lane === 'normal')
        throw new BadUsageError('--vip and --lane normal exclude each other');
      const server = await connect(terminal, command, options.vip ? accounts.vip : accounts.normal);
      const lane = options.vip ? await vipLaneOf(server) : options.lane;
      const idempotencyKey = options.key ?? randomUUID();
      const { value, raw, answer } = await askFor(
        server,
        {
          method: 'POST',
          path: '/v1/orders',
          idempotencyKey,
          body: {
            items: options.item,
            payment: { method: options.pay },
            ...(options.note === undefined ? {} : { note: options.note }),
            ...(options.customer === undefined ? {} : { customerName: options.customer }),
            ...(lane === undefined ? {} : { lane }),
          },
          whenLost: `it may have been placed: repeat with --key ${idempotencyKey} to find out without ordering twice`,
        },
        orderAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      if (answer.headers.get('idempotent-replayed') === 'true') {
        writeLine(
          terminal.stdout,
          paint(terminal.stdout, 'yellow', 'this key was used before: the order it made, as it is now'),
        );
      }
      writeOrder(terminal.stdout, value.order);
      if (server.user !== accounts.normal) {
        writeLine(
          terminal.stdout,
          asCalled(
            terminal,
            `\nsee it again: twolane orders show ${value.order.number} --as ${printable(server.user)}`,
          ),
        );
      }
    });
}

function addListCommand(orders: Command, terminal: Terminal): void {
  orders
    .command('list')
    .description('list orders, newest first: your own, or all as a manager')
    .addOption(new Option('--status <status>', 'only these').choices(orderStatuses))
    .addOption(new Option('--lane <lane>', 'only this lane').choices(lanes))
    .option('--search <text>', 'a number, an e-mail or a payment reference')
    .option('--limit <count>', 'how many at most', parseCount)
    .option('--cursor <cursor>', 'go on where the last list ended')
    .addHelpText(
      'after',
      examples(
        ['twolane orders list', 'the sample customer’s orders'],
        ['twolane orders list --as manager@twolane.test --status pending', 'everything that waits'],
        ['twolane orders list --json --limit 5', 'for a script'],
      ),
    )
    .action(async (options: ListOptions, command: Command) => {
      const server = await connect(terminal, command, accounts.normal);
      const { status, lane, search: q, limit, cursor } = options;
      const { value, raw } = await askFor(
        server,
        { method: 'GET', path: '/v1/orders', query: { status, lane, q, limit: limit?.toString(), cursor } },
        ordersAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      writeOrders(terminal.stdout, value.orders);
      if (value.orders.length === 0 && server.user === accounts.normal) {
        const other = `twolane orders list --as ${accounts.manager}`;
        writeLine(terminal.stdout, asCalled(terminal, `these would be ${server.user}’s own; everybody’s: ${other}`));
      }
      if (value.nextCursor !== null) writeLine(terminal.stdout, `\nmore: --cursor ${value.nextCursor}`);
    });
}

function addShowCommand(orders: Command, terminal: Terminal): void {
  orders
    .command('show')
    .description('show one order, with its place in the queue')
    .argument('<number>', 'the order number', parseCount)
    .option('--events', 'with everything that happened to it')
    .addHelpText(
      'after',
      examples(
        ['twolane orders show 1001', 'where it stands'],
        ['twolane orders show 1001 --events --as vip@twolane.test', 'its whole story'],
      ),
    )
    .action(async (number: number, options: { events?: boolean }, command: Command) => {
      const server = await connect(terminal, command, accounts.normal);
      const shown = await askFor(server, { method: 'GET', path: `/v1/orders/${number}` }, orderAnswer);
      const history = options.events
        ? await askFor(server, { method: 'GET', path: `/v1/orders/${number}/events` }, eventsAnswer)
        : undefined;
      if (wantsJson(command)) {
        return writeJson(terminal.stdout, { ...(shown.raw as object), ...(history?.raw as object | undefined) }); // objects: the schemas saw them
      }
      writeOrder(terminal.stdout, shown.value.order);
      if (history) writeOrderEvents(terminal.stdout, history.value.events, shown.value.order.total.currency);
    });
}

function addCancelCommand(orders: Command, terminal: Terminal): void {
  orders
    .command('cancel')
    .description('cancel an order: your own while it waits; a manager also later')
    .argument('<number>', 'the order number', parseCount)
    .option('--reason <text>', 'why; the customer reads it')
    .addHelpText(
      'after',
      examples(
        ['twolane orders cancel 1001', 'while it is PENDING'],
        ['twolane orders cancel 1001 --reason "sold out" --as manager@twolane.test', 'also while a bot does it'],
      ),
    )
    .action(async (number: number, options: { reason?: string }, command: Command) => {
      const server = await connect(terminal, command, accounts.normal);
      const { value, raw } = await askFor(
        server,
        {
          method: 'POST',
          path: `/v1/orders/${number}/cancel`,
          body: options.reason === undefined ? {} : { reason: options.reason },
          whenLost: `it may have been cancelled: look with \`twolane orders show ${number}\``,
        },
        orderAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      writeOrder(terminal.stdout, value.order);
    });
}

/** What the order has to say about its lane; throws when this account has no way into the VIP lane. */
async function vipLaneOf(server: Server & { user: string }): Promise<Lane | undefined> {
  const role = await readRole(server);
  if (laneOf(role) === 'vip') return undefined; // only a manager may name one
  if (mayChooseLane(role)) return 'vip';
  throw new CliError(`${server.user} is ${role}: the VIP lane is for a VIP or a manager`, [
    `leave --vip out, or name another account with --as (in the demo: --as ${accounts.vip})`,
    `a manager or the admin can make it one: \`twolane users role ${server.user} VIP\``,
  ]);
}

function collectItem(text: string, earlier: Item[] | undefined): Item[] {
  const [, sku, quantity = '1'] = /^(.+?)(?::(\d+))?$/.exec(text) ?? [];
  if (sku === undefined || /:/.test(sku) || Number(quantity) < 1) {
    throw new InvalidArgumentError('Not of the form sku or sku:quantity.');
  }
  return [...(earlier ?? []), { sku, quantity: Number(quantity) }];
}

import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import { orderSchema } from '../domain/order.ts';
import { refundSchema } from '../domain/payment.ts';
import { askFor } from './api-client.ts';
import { minorFrom, moneyText } from './currency.ts';
import { BadUsageError } from './failures.ts';
import { accounts, connect, examples, parseCount, sayWhoSpeaks, wantsJson } from './program-options.ts';
import { paint, printable, type Terminal, writeJson, writeLine } from './terminal.ts';

const checkoutAnswer = z.object({ checkoutUrl: z.string() });
const orderAnswer = z.object({ order: orderSchema });
const refundAnswer = z.object({ refund: refundSchema });

const refundStatusTexts = {
  requested: 'is on its way back',
  unknown: 'is on its way back',
  succeeded: 'went back',
  failed: 'could not be given back',
} as const;

/** What concerns the money of one order. */
export function addOrderPaymentCommands(orders: Command, terminal: Terminal): void {
  orders
    .command('pay')
    .description('show where an order that awaits its payment is paid')
    .argument('<number>', 'the order number', parseCount)
    .addHelpText('after', examples(['twolane orders pay 1001', 'the address of its checkout, to open in a browser']))
    .action(async (number: number, _options: object, command: Command) => {
      const server = await connect(terminal, command, accounts.normal);
      const { value, raw } = await askFor(
        server,
        { method: 'POST', path: `/v1/orders/${number}/checkout`, body: {} },
        checkoutAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      writeLine(terminal.stdout, printable(value.checkoutUrl));
    });

  orders
    .command('refund')
    .description('give money back that was paid online: all that is left, or an amount; for a manager')
    .argument('<number>', 'the order number', parseCount)
    .option('--amount <amount>', 'how much, such as 2.50, in the currency of the order')
    .option('--reason <text>', 'why; the customer reads it')
    .option('--key <text>', 'Idempotency-Key: the same key never gives back twice (default: a random one)')
    .addHelpText(
      'after',
      `\nUnlike the other \`orders\` commands it speaks, where nobody is signed in on this machine, as ${accounts.manager}.${examples(
        ['twolane orders refund 1001 --reason "never fetched"', 'all of it'],
        ['twolane orders refund 1001 --amount 2.50', 'a part; the same once more is another one'],
      )}`,
    )
    .action(async (number: number, options: { amount?: string; reason?: string; key?: string }, command: Command) => {
      const server = await connect(terminal, command, accounts.manager);
      const key = options.key ?? randomUUID();
      const { value } = await askFor(server, { method: 'GET', path: `/v1/orders/${number}` }, orderAnswer);
      const { currency } = value.order.total;
      const amountMinor = options.amount === undefined ? undefined : minorFrom(options.amount, currency);
      if (options.amount !== undefined && !amountMinor)
        throw new BadUsageError(`${printable(options.amount)} is no amount in ${currency}`, [
          'for example --amount 2.50',
        ]);
      sayWhoSpeaks(terminal, command, server);
      const refunded = await askFor(
        server,
        {
          method: 'POST',
          path: `/v1/orders/${number}/refunds`,
          body: {
            ...(amountMinor === undefined ? {} : { amount: { amountMinor, currency } }),
            ...(options.reason === undefined ? {} : { reason: options.reason }),
          },
          idempotencyKey: key,
          whenLost: `it may have been asked for: repeat it with --key ${printable(key)}, and nothing goes back twice`,
        },
        refundAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, refunded.raw);
      const { amount, status } = refunded.value.refund;
      if (options.key !== undefined && refunded.answer.headers.get('idempotent-replayed') === 'true')
        writeLine(
          terminal.stdout,
          paint(terminal.stdout, 'yellow', 'this key was used before: that refund, as it is now'),
        );
      writeLine(terminal.stdout, `${moneyText(amount)} of order ${number} ${refundStatusTexts[status]}`);
    });
}

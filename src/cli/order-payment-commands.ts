import type { Command } from 'commander';
import { z } from 'zod';
import { orderSchema } from '../domain/order.ts';
import { refundSchema } from '../domain/payment.ts';
import { askFor } from './api-client.ts';
import { minorFrom, moneyText } from './currency.ts';
import { BadUsageError } from './failures.ts';
import { accounts, connect, examples, parseCount, wantsJson } from './program-options.ts';
import { printable, type Terminal, writeJson, writeLine } from './terminal.ts';

const checkoutAnswer = z.object({ checkoutUrl: z.string() });
const orderAnswer = z.object({ order: orderSchema });
const refundAnswer = z.object({ refund: refundSchema });

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
    .description('give money back that was paid online: all that is left, or an amount; as a manager')
    .argument('<number>', 'the order number', parseCount)
    .option('--amount <amount>', 'how much, such as 2.50, in the currency of the order')
    .option('--reason <text>', 'why')
    .addHelpText(
      'after',
      examples(
        ['twolane orders refund 1001 --reason "never fetched" --as manager@twolane.test', 'all of it'],
        [
          'twolane orders refund 1001 --amount 2.50 --as manager@twolane.test',
          'a part; the same once more is another one',
        ],
      ),
    )
    .action(async (number: number, options: { amount?: string; reason?: string }, command: Command) => {
      const server = await connect(terminal, command, accounts.manager);
      const { value } = await askFor(server, { method: 'GET', path: `/v1/orders/${number}` }, orderAnswer);
      const { currency } = value.order.total;
      const amountMinor = options.amount === undefined ? undefined : minorFrom(options.amount, currency);
      if (options.amount !== undefined && !amountMinor)
        throw new BadUsageError(`${printable(options.amount)} is no amount in ${currency}`, [
          'for example --amount 2.50',
        ]);
      const refunded = await askFor(
        server,
        {
          method: 'POST',
          path: `/v1/orders/${number}/refunds`,
          body: {
            ...(amountMinor === undefined ? {} : { amount: { amountMinor, currency } }),
            ...(options.reason === undefined ? {} : { reason: options.reason }),
          },
          whenLost: `it may have been asked for: look with \`twolane orders show ${number} --events\` before you repeat it`,
        },
        refundAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, refunded.raw);
      const { amount, status } = refunded.value.refund;
      writeLine(
        terminal.stdout,
        `${moneyText(amount)} of order ${number} ${status === 'succeeded' ? 'went back' : 'is on its way back'}`,
      );
    });
}

import type { Command } from 'commander';
import { z } from 'zod';
import { orderSchema } from '../../domain/order.ts';
import { askFor } from '../api-client.ts';
import { asCalled } from '../called-as.ts';
import { accounts, connect, examples, parseCount, sayWhoSpeaks, wantsJson } from '../program-options.ts';
import { type Terminal, writeJson, writeLine } from '../terminal.ts';

const orderAnswer = z.object({ order: orderSchema });

export function addRetryCommand(payments: Command, terminal: Terminal): void {
  payments
    .command('retry')
    .description('try once more what the provider declined or refused for an order; for a manager')
    .argument('<number>', 'the order number', parseCount)
    .addHelpText(
      'after',
      `\nPut right first what the provider says: the key, the account, the balance. What was done meanwhile is seen and not done again.${examples(
        ['twolane payments retry 1001', 'its capture, or what lets it go after a cancel'],
      )}`,
    )
    .action(async (number: number, _options: object, command: Command) => {
      const server = await connect(terminal, command, accounts.manager);
      sayWhoSpeaks(terminal, command, server);
      const { raw } = await askFor(
        server,
        { method: 'POST', path: `/v1/orders/${number}/payment/retry`, isRepeatable: true },
        orderAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      const look = `twolane orders show ${number} --events --as ${server.user}`;
      writeLine(
        terminal.stdout,
        asCalled(terminal, `the payment of order ${number} is tried once more; what comes of it: ${look}`),
      );
    });
}

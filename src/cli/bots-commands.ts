import type { Command } from 'commander';
import { z } from 'zod';
import { botSchema } from '../domain/bot.ts';
import { askFor } from './api-client.ts';
import { asCalled } from './called-as.ts';
import { clockText } from './order-text.ts';
import { accounts, connect, examples, wantsJson } from './program-options.ts';
import { paint, printable, type Terminal, writeJson, writeLine, writeTable } from './terminal.ts';

const botAnswer = z.object({ bot: botSchema });
const removalAnswer = z.object({ bot: botSchema, returnedOrderNumber: z.int().nullable() });
const botsAnswer = z.object({ bots: z.array(botSchema) });
const whenLost = 'it may have happened all the same: look with `twolane bots list`';

export function addBotsCommands(program: Command, terminal: Terminal): void {
  const bots = program
    .command('bots')
    .description('add, remove and list bots')
    .addHelpText('after', examples(['twolane bots add', 'one more bot'], ['twolane bots list', 'who does what']));
  bots
    .command('add')
    .description('add a bot: it takes the next order at once')
    .addHelpText('after', examples(['twolane bots add', 'one more bot']))
    .action(async (_: object, command: Command) => {
      const server = await connect(terminal, command, accounts.manager);
      const { value, raw } = await askFor(server, { method: 'POST', path: '/v1/bots', whenLost }, botAnswer);
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      writeLine(terminal.stdout, `bot ${value.bot.number} added`);
    });
  bots
    .command('remove')
    .description('remove the newest bot: its order goes back to its place at once')
    .addHelpText('after', examples(['twolane bots remove', 'one bot less']))
    .action(async (_: object, command: Command) => {
      const server = await connect(terminal, command, accounts.manager);
      const { value, raw } = await askFor(
        server,
        { method: 'DELETE', path: '/v1/bots/newest', whenLost },
        removalAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      const returned =
        value.returnedOrderNumber === null ? '' : `, order ${value.returnedOrderNumber} is PENDING again`;
      writeLine(terminal.stdout, `bot ${value.bot.number} removed${returned}`);
    });
  bots
    .command('list')
    .description('list the bots and what they are doing')
    .addHelpText(
      'after',
      examples(['twolane bots list', 'who does what'], ['twolane bots list --json', 'for a script']),
    )
    .action(async (_: object, command: Command) => {
      const server = await connect(terminal, command, accounts.manager);
      const { value, raw } = await askFor(server, { method: 'GET', path: '/v1/bots' }, botsAnswer);
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      if (value.bots.length === 0)
        return writeLine(terminal.stdout, asCalled(terminal, 'no bots: add one with `twolane bots add`'));
      writeTable(
        terminal.stdout,
        ['BOT', 'STATUS', 'ORDER', 'SINCE', 'HOST'],
        value.bots.map(({ number, status, orderNumber, startedAt, host }) => [
          String(number),
          paint(
            terminal.stdout,
            status === 'processing' ? 'cyan' : status === 'idle' ? 'green' : 'red',
            status.toUpperCase(),
          ),
          orderNumber === null ? '' : String(orderNumber),
          startedAt === null ? '' : clockText(startedAt),
          printable(host ?? ''),
        ]),
      );
    });
}

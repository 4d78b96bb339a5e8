import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { askFor, reasonOf } from './api-client.ts';
import { CliError, exitCodes, InterruptedError } from './failures.ts';
import { clockText } from './order-text.ts';
import { accounts, connect, examples, parseCount, sayWhoSpeaks, wantsJson } from './program-options.ts';
import { paint, printable, type Terminal, writeJson, writeLine } from './terminal.ts';

const receiptAnswer = z.object({
  receipt: z.object({ url: z.url(), expiresAt: z.iso.datetime(), fileName: z.string(), madeAt: z.iso.datetime() }),
});
const downloadMs = 60_000;

export function addReceiptCommand(orders: Command, terminal: Terminal): void {
  orders
    .command('receipt')
    .description('show where the receipt of an order is, or save the PDF; of what was captured online')
    .argument('<number>', 'the order number', parseCount)
    .option('--out <file>', 'save it there; what is there is replaced')
    .addHelpText(
      'after',
      `\nUnlike most \`orders\` commands it speaks, where nobody is signed in on this machine, as ${accounts.manager}: of anybody’s order.${examples(
        ['twolane orders receipt 1001', 'an address that works for a quarter of an hour'],
        ['twolane orders receipt 1001 --out receipt.pdf', 'the PDF'],
        ['twolane orders receipt 1001 --as vip@twolane.test', 'as its customer gets it'],
      )}`,
    )
    .action(async (number: number, { out }: { out?: string }, command: Command) => {
      const server = await connect(terminal, command, accounts.manager);
      sayWhoSpeaks({ ...terminal, stdout: terminal.stderr }, command, server); // stdout is the address alone, for scripts
      const { value, raw } = await askFor(
        server,
        { method: 'GET', path: `/v1/orders/${number}/receipt` },
        receiptAnswer,
      );
      const { url, expiresAt } = value.receipt;
      const bytes = out === undefined ? null : await save(url, out, terminal.signal);
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      if (bytes !== null) return writeLine(terminal.stdout, `saved as ${printable(out ?? '')}, ${bytes} bytes`);
      writeLine(terminal.stdout, printable(url));
      writeLine(
        terminal.stderr,
        paint(terminal.stderr, 'dim', `works until ${clockText(expiresAt)}, for whoever has it`),
      );
    });
}

async function save(url: string, file: string, signal: AbortSignal): Promise<number> {
  const content = await download(url, signal);
  try {
    await writeFile(file, content);
  } catch (error) {
    throw new CliError(`${printable(file)} could not be written: ${reasonOf(error)}`, [], exitCodes.failed, {
      cause: error,
    });
  }
  return content.length;
}

async function download(url: string, signal: AbortSignal): Promise<Buffer> {
  const { origin } = new URL(url);
  try {
    const response = await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(downloadMs)]),
    });
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    throw new CliError(`${origin} did not give the receipt: it answered ${response.status}`);
  } catch (error) {
    if (signal.aborted) throw new InterruptedError();
    if (error instanceof CliError) throw error;
    throw new CliError(`the receipt could not be read from ${origin}: ${reasonOf(error)}`, [
      'is PUBLIC_URL of the server, or the address of its store, reached from here?',
    ]);
  }
}

import { parseArgs } from 'node:util';

export interface BenchArguments {
  /** Names of questions; null: all of them. */
  only: string[] | null;
  isQuick: boolean;
  jsonFile: string | null;
  repetitions: number;
  /** How many orders the database of `backup` holds; null: as many as it usually asks for. */
  orders: number | null;
}

export class UsageError extends Error {}

/** Null when help was asked for. */
export function readArguments(args: string[], questionNames: readonly string[]): BenchArguments | null {
  const { values } = parseOrExplain(args);
  if (values.help) return null;
  const only = values.only?.split(',').filter((name) => name !== '') ?? null;
  const unknown = only?.filter((name) => !questionNames.includes(name)) ?? [];
  if (unknown.length > 0)
    throw new UsageError(`${unknown.join(', ')}: no such question; there are ${questionNames.join(', ')}`);
  const repetitions = Number(values.repetitions ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(repetitions) || repetitions < 1) throw new UsageError('--repetitions takes a number from 1');
  const orders = values.orders === undefined ? null : Number(values.orders);
  if (orders !== null && (!Number.isInteger(orders) || orders < 1))
    throw new UsageError('--orders takes a number from 1');
  return { only, isQuick: values.quick ?? false, jsonFile: values.json ?? null, repetitions, orders };
}

function parseOrExplain(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean' },
        json: { type: 'string' },
        repetitions: { type: 'string' },
        orders: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** `npm run storm`: the storm of `npm test` in its long form. `npm run storm -- --help` says what it takes. */
import { Command, InvalidArgumentError, Option } from 'commander';

const command = new Command('npm run storm --')
  .description(
    'Plays customers of both payment providers while requests, webhooks and processes fail at random, and shows afterwards that no order was lost and no money taken twice. It brings its own Postgres and Redis, and the providers’ stand-ins.',
  )
  .option(
    '--seed <number>',
    'of orders, faults and kills: the same seed is the same storm (default: another each time)',
    count,
  )
  .option('--orders <number>', 'how many are placed', count, 300)
  .addOption(
    new Option('--backend <name>', 'where the queues live').choices(['redis', 'postgres', 'both']).default('both'),
  )
  .option('--rate <share>', 'of the requests and webhooks that go wrong, 0 to 0.9', share, 0.15)
  .addHelpText(
    'after',
    `
Examples:
  npm run storm                                       300 orders on each backend, another seed each time
  npm run storm -- --seed 42 --backend redis          the same storm once more
  npm run storm -- --orders 1000 --rate 0.4           a long and a bad one

Every line says how far it is. At the end stands what it came to; the exit code is 1 when something is broken, and each
order that it is broken for is told from its beginning.`,
  )
  .parse();

const {
  seed = Math.floor(Date.now() / 1_000),
  orders,
  backend,
  rate,
} = command.opts<{ seed?: number; orders: number; backend: string; rate: number }>();
Object.assign(process.env, {
  STORM_SEED: String(seed),
  STORM_ORDERS: String(orders),
  STORM_BACKEND: backend,
  STORM_RATE: String(rate),
  TEST_FILE_LIMIT_MS: String(24 * 3_600_000),
});
process.argv = [...process.argv.slice(0, 2), 'test/storm/storm.test.ts'];
await import('./test.ts');

function count(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('It takes a whole number from 1.');
  return Number(text);
}

function share(text: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0 && value <= 0.9)) throw new InvalidArgumentError('It takes a number from 0 to 0.9.');
  return value;
}

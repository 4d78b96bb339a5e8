/**
 * `npm run bench`: measures the engine against what one would write instead, on a Postgres and a Redis of its own.
 *
 *   npm run bench                            everything (about 15 minutes); writes docs/benchmarks.md
 *   npm run bench -- --only intake,drain     some questions
 *   npm run bench -- --quick                 one short repetition each: shows that the bench works, not how fast we are
 *   npm run bench -- --repetitions 5         more than the usual 3
 *   npm run bench -- --json FILE             the tables and bars for programs, too
 *
 * Each question is a file of this folder, what it needs lies in the folder of the same name:
 *
 *   intake     orders per second over HTTP, against a transaction per order (naive) and against no storage (ceiling)
 *   auth       the same web process with sign-in and without
 *   drain      orders per second through 1, 8 and 50 bots, against a BullMQ Worker that does the same work
 *   lane       the same without a database: what two lanes and strictness cost
 *   wake       how soon an idle bot has an order that was just added
 *   depth      intake and drain with 200,000 orders pending; what a waiting order costs in Redis
 *   memory     what a web process and a bot host need under load
 *   recovery   how soon the work of a killed bot host is started again
 *   webhooks   500 events of a provider a second: is each stored, and how soon answered
 *   backup     1,000,000 orders (--orders N): backup, restore, memory, what the intake feels; against pg_dump
 *
 * Leave the machine alone meanwhile. Each bar is one line, `bar: NAME MEASURED TARGET ok|short`; the exit code is 1 when one is
 * short or a question failed. `wrk` makes the load; its Debian package is installed when it is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Answer, barLine, isMet } from './answer.ts';
import { readArguments, UsageError } from './arguments.ts';
import { auth } from './auth.ts';
import { backup } from './backup.ts';
import { depth } from './depth.ts';
import { drain } from './drain.ts';
import { intake } from './intake.ts';
import { openLab } from './lab/lab.ts';
import { lane } from './lane.ts';
import { describeMachine } from './machine.ts';
import { memory } from './memory.ts';
import type { Question } from './question.ts';
import { recovery } from './recovery.ts';
import { reportMarkdown, tableText } from './report.ts';
import { wake } from './wake.ts';
import { webhooks } from './webhooks.ts';

const questions: readonly Question[] = [intake, auth, drain, lane, wake, depth, memory, recovery, webhooks, backup];
const root = path.dirname(import.meta.dirname);
const quietLoad = 0.5;

try {
  const names = questions.map((question) => question.name);
  const wanted = readArguments(process.argv.slice(2), names);
  if (wanted) process.exitCode = await runBench(wanted);
  else console.log(usage());
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage()}`);
  process.exitCode = 2;
}

async function runBench({
  only,
  isQuick,
  jsonFile,
  repetitions,
  orders,
}: NonNullable<ReturnType<typeof readArguments>>): Promise<number> {
  const say = (line: string) => console.error(`bench: ${line}`);
  const answers: { question: Question; answer: Answer }[] = [];
  const failed: string[] = [];
  const lab = await openLab(say);
  const machine = describeMachine(lab);
  for (const line of machine) console.log(line);
  if ((os.loadavg()[0] ?? 0) > quietLoad) say('others are at work on this machine: read the figures with care');
  try {
    for (const question of questions.filter(({ name }) => !only || only.includes(name))) {
      console.log(`\n${question.title}\n`);
      try {
        const answer = await question.ask({ lab, repetitions, seconds: isQuick ? 1 : 2, isQuick, orders, say });
        answers.push({ question, answer });
        for (const table of answer.tables) console.log(`${tableText(table)}\n`);
        for (const bar of answer.bars) console.log(barLine(bar));
      } catch (error) {
        failed.push(question.name);
        console.error((error as Error).stack);
      }
    }
  } finally {
    await lab.close();
  }

  const bars = answers.flatMap(({ answer }) => answer.bars);
  const short = bars.filter((bar) => !isMet(bar));
  console.log(
    `\n${bars.length - short.length} of ${bars.length} bars are met${isQuick ? ' (--quick: these figures say little)' : ''}`,
  );
  if (short.length > 0) console.log(`short: ${short.map((bar) => bar.name).join(', ')}`);
  if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`);
  if (jsonFile) writeFileSync(jsonFile, JSON.stringify({ machine, repetitions, isQuick, failed, answers }, null, 2));
  const isFull = only === null && !isQuick && failed.length === 0;
  if (isFull) writeFileSync(path.join(root, 'docs/benchmarks.md'), reportMarkdown(answers, machine, repetitions));
  return short.length + failed.length > 0 ? 1 : 0;
}

/** The comment at the head of this file. */
function usage(): string {
  const [comment = ''] = /(?<=\/\*\*\n)[\s\S]*?(?= \*\/)/.exec(readFileSync(import.meta.filename, 'utf8')) ?? [];
  return comment.replaceAll(/^ \* ?/gm, '').trim();
}

import { type Answer, barColumns, isMet, type Table } from './answer.ts';
import type { Question } from './question.ts';

/** A table for people at a terminal; figures to the right, the first columns to the left. */
export function tableText({ title, columns, rows, notes }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const isFigure = columns.map((_column, index) => rows.every((row) => /^[\d–-]/.test(row[index] ?? '')));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => (isFigure[index] ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd();
  return [title, line(columns), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line), ...notes].join('\n');
}

function tableMarkdown({ title, columns, rows, notes }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
  return [`### ${title}`, table, notes.map((note) => `- ${note}`).join('\n')].filter(Boolean).join('\n\n');
}

const introduction = `# Benchmarks

The last full run of \`npm run bench\`, which writes this page. Load generator, engine, Postgres and Redis share one machine and
talk over loopback, so read the ratios: each compares two things that were measured side by side in one run, A B C A B C. A cell
is the median of its repetitions, with the smallest and the largest in brackets. Every cell starts with a fresh database and an
empty Redis. Intake, drain and recovery are compared afterwards with what they left in both: a run that lost an order or did one
twice has no figure, it fails.`;

/** docs/benchmarks.md. */
export function reportMarkdown(
  answers: readonly { question: Question; answer: Answer }[],
  machine: readonly string[],
  repetitions: number,
): string {
  const bars = answers.flatMap(({ answer }) => answer.bars);
  const facts = [`date: ${new Date().toISOString().slice(0, 10)}`, ...machine, `repetitions: ${repetitions}`];
  const barRows = bars.map((bar) => `| ${barColumns(bar).join(' | ')} |`).join('\n');
  return `${[
    introduction,
    facts.map((fact) => `- ${fact}`).join('\n'),
    `## Bars\n\n${bars.filter(isMet).length} of ${bars.length} are met.\n\n| bar | measured | target | |\n| --- | --- | --- | --- |\n${barRows}`,
    ...answers.map(
      ({ question, answer }) => `## ${question.title}\n\n${answer.tables.map(tableMarkdown).join('\n\n')}`,
    ),
  ].join('\n\n')}\n`;
}

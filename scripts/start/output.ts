import { styleText } from 'node:util';
import { prettyFactory } from 'pino-pretty';

export type Output = {
  /** A line that a process of ours wrote: a pino line, or anything else. */
  line(processName: string, text: string, stream: 'stdout' | 'stderr'): void;
  /** What `npm start` itself has to say. */
  say(message: string, fields?: Record<string, unknown>): void;
  complain(message: string): void;
  /** For people a block of text, for programs one line with its fields. */
  announce(message: string, fields: Record<string, unknown>, details: string): void;
};

const ownName = 'start';
const colours = ['cyan', 'magenta', 'yellow', 'green', 'blue'] as const;
type Level = 'info' | 'error';

export function createOutput(stream: NodeJS.WriteStream, processNames: string[]): Output {
  return stream.isTTY ? forPeople(stream, processNames) : forPrograms(stream);
}

function forPeople(stream: NodeJS.WriteStream, processNames: string[]): Output {
  const names = [ownName, ...processNames];
  const width = Math.max(...names.map((name) => name.length));
  const pretty = prettyFactory({
    colorize: stream.hasColors(),
    ignore: 'pid,hostname,name,role', // the prefix says it
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
  });
  const write = (name: string, text: string) => {
    const colour = name === ownName ? 'gray' : (colours[names.indexOf(name) % colours.length] ?? 'white');
    const prefix = styleText(colour, `${name.padEnd(width)} │`, { stream });
    for (const row of text.trimEnd().split('\n')) stream.write(`${prefix} ${row}\n`);
  };
  return {
    line: (name, text) => write(name, readPinoLine(text) ? pretty(text) : text),
    say: (message) => write(ownName, message),
    complain: (message) => write(ownName, styleText('red', message, { stream })),
    announce: (message, _, details) => stream.write(`\n${styleText('bold', message, { stream })}\n\n${details}\n\n`),
  };
}

function forPrograms(stream: NodeJS.WriteStream): Output {
  const write = (line: Record<string, unknown>) => stream.write(`${JSON.stringify(line)}\n`);
  const own = (level: Level, msg: string, fields: Record<string, unknown> = {}) =>
    write({ level, time: new Date().toISOString(), process: ownName, ...fields, msg });
  return {
    line: (name, text, source) => {
      const level: Level = source === 'stderr' ? 'error' : 'info';
      write({ process: name, ...(readPinoLine(text) ?? { level, time: new Date().toISOString(), msg: text }) });
    },
    say: (message, fields) => own('info', message, fields),
    complain: (message) => own('error', message),
    announce: (message, fields) => own('info', message, fields),
  };
}

function readPinoLine(text: string): Record<string, unknown> | null {
  if (!text.startsWith('{')) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null; // some other text in braces
  }
}

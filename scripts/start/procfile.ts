import { readFileSync } from 'node:fs';

export type ProcfileLine = { name: string; command: string };

export function readProcfile(file: string): ProcfileLine[] {
  return parseProcfile(readFileSync(file, 'utf8'));
}

export function parseProcfile(text: string): ProcfileLine[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (/^\s*(#|$)/.test(line)) return [];
    const [, name, command] = /^([\w-]+):\s*(\S.*)$/.exec(line) ?? [];
    if (name === undefined || command === undefined) {
      throw new Error(`Procfile line ${index + 1} is not \`name: command\`: ${line}`);
    }
    return [{ name, command: command.trim() }];
  });
}

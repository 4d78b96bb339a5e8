import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../../../src/config.ts';

/** The file that `BOT_HANDLER` names, seen from `folder`; null when it names no module. Throws when there is no such file. */
export function findHandlerModule(handler: string, folder = process.cwd()): string | null {
  if (handler === 'timer' || /^https?:/.test(handler)) return null;
  const file = resolve(folder, handler);
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  throw new ConfigError([`BOT_HANDLER: there is no file ${file} (it is \`timer\`, a URL, or the path of a module)`]);
}

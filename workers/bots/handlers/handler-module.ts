import { statSync } from 'node:fs';
import { resolve } from 'node:path';

/** `BOT_HANDLER` names something that cannot be used: for whoever set it, who needs no stack to mend it. */
export class HandlerSettingError extends Error {
  constructor(fault: string) {
    super(`BOT_HANDLER: ${fault}`);
    this.name = 'HandlerSettingError';
    this.stack = this.message;
  }
}

/** The file that `BOT_HANDLER` names, seen from `folder`; null when it names no module. Throws when there is no such file. */
export function findHandlerModule(handler: string, folder = process.cwd()): string | null {
  if (handler === 'timer' || /^https?:/.test(handler)) return null;
  const file = resolve(folder, handler);
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  throw new HandlerSettingError(`there is no file ${file} (it is \`timer\`, a URL, or the path of a module)`);
}

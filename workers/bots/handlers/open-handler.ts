import { pathToFileURL } from 'node:url';
import type { Config } from '../../../src/config.ts';
import type { Handler } from './handler.ts';
import { findHandlerModule, HandlerSettingError } from './handler-module.ts';
import { createHttpHandler } from './http.ts';
import { createTimerHandler } from './timer.ts';

/** The handler that `BOT_HANDLER` names: `timer`, a URL, or a module whose default export is a `Handler` or makes one. */
export async function openHandler(settings: Config['bots']): Promise<Handler> {
  const file = findHandlerModule(settings.handler);
  if (settings.handler === 'timer') return createTimerHandler(settings.processingMs);
  if (file === null)
    return createHttpHandler({
      url: settings.handler,
      secret: settings.handlerSecret ?? '',
      timeoutMs: settings.handlerTimeoutMs,
    });
  const loaded = (await import(pathToFileURL(file).href)) as { default?: unknown };
  const handler = typeof loaded.default === 'function' ? ((await loaded.default()) as unknown) : loaded.default;
  if (!isHandler(handler))
    throw new HandlerSettingError(`${file} has no default export with a run(order, context) function`);
  return {
    run: handler.run.bind(handler),
    expectedMs: handler.expectedMs ?? null,
    needsOrder: handler.needsOrder ?? true,
  };
}

function isHandler(value: unknown): value is Pick<Handler, 'run'> & Partial<Handler> {
  return typeof (value as Partial<Handler> | null)?.run === 'function';
}

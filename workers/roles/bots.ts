import { BotHost } from '../bots/bot-host.ts';
import { openHandler } from '../bots/handlers/open-handler.ts';
import type { StartRole } from './role.ts';

export const start: StartRole = async ({ config, database, openStore, announce, log }) => {
  const host = new BotHost({
    database,
    store: openStore('worker', 8),
    handler: await openHandler(config.bots),
    announce,
    capacity: config.bots.capacity,
    maxAttempts: config.orderMaxAttempts,
    log,
  });
  try {
    await host.start();
  } catch (error) {
    await host.stop();
    throw error;
  }
  return { close: () => host.stop() };
};

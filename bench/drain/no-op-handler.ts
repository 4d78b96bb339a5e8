import type { Handler } from '../../workers/bots/handlers/handler.ts';

/** Work that takes no time: what is left is what the engine costs. */
const noOpHandler: Handler = { expectedMs: null, needsOrder: false, run: async () => {} };

// biome-ignore lint/style/noDefaultExport: BOT_HANDLER names a module by its default export
export default noOpHandler;

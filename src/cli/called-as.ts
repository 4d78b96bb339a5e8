import type { Terminal } from './terminal.ts';

/**
 * A text with the command in its hints and examples as it was called here: what is pasted must be found, and npx finds what is
 * in no PATH.
 */
export function asCalled({ env }: Pick<Terminal, 'env'>, text: string): string {
  const isByNpm = Boolean(env.npm_execpath || env.npm_config_user_agent);
  return isByNpm ? text.replaceAll(/(`|\$ |: )twolane (?=[a-z])/g, '$1npx twolane ') : text;
}

import { ConfigError, readConfig } from '../../src/config.ts';

/** What an environment is refused for; empty when it is not. */
export function configFaultsOf(variables: Record<string, string>): string {
  try {
    readConfig(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

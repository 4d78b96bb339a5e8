import { z } from 'zod';
import { type S3Settings, storeFaults, storesFrom, storeVariables } from '../../config-stores.ts';
import { AssetChangedError } from '../../storage/asset-index.ts';
import { StoreError } from '../../storage/object-store.ts';
import { CliError, exitCodes, InterruptedError } from '../failures.ts';
import { withAllProjectSettings } from '../project-settings.ts';
import type { Terminal } from '../terminal.ts';

const names = 'MEDIA_S3_ENDPOINT, MEDIA_S3_ACCESS_KEY_ID, MEDIA_S3_SECRET_ACCESS_KEY and MEDIA_S3_BUCKET';

/** Where the media go, by the same settings as the server's. */
export async function readMediaSettings(terminal: Terminal): Promise<S3Settings> {
  const all = await withAllProjectSettings(terminal);
  const present = Object.fromEntries(
    Object.entries(all).filter(([name, value]) => value && /^(MEDIA_|STORE_|ENV$)/.test(name)),
  );
  const isProduction = present.ENV === 'production'; // unsaid, it may be a demo’s .env: npm start says the rest
  const parsed = z.object(storeVariables).safeParse(present);
  const faults = parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (parsed.success) faults.push(...storeFaults(present, isProduction));
  if (!parsed.success || faults.length > 0) throw new CliError('the settings of the media store are not right', faults);
  const { media } = storesFrom(parsed.data, isProduction);
  if (media) return media;
  throw new CliError('no media store is set up: the server itself gives out the pictures and sounds', [
    `one of S3’s kind is set up by ${names}, in the environment or in .env`,
  ]);
}

/** What a person can do about it. */
export function mediaFailure(error: unknown, { bucket, endpoint }: S3Settings, signal: AbortSignal): unknown {
  if (signal.aborted) return new InterruptedError();
  if (error instanceof AssetChangedError) return new CliError(error.message);
  if (!(error instanceof StoreError)) return error;
  const hints = [`${error.message} (${error.code})`];
  if (error.kind === 'away')
    return new CliError(`the media store at ${endpoint} cannot be reached`, hints, exitCodes.unreachable, {
      cause: error,
    });
  return new CliError(
    `the media store refused: bucket ${bucket} at ${endpoint}`,
    [...hints, `look at ${names}, and at what that key may do`],
    exitCodes.failed,
    { cause: error },
  );
}

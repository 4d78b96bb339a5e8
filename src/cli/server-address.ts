import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import path from 'node:path';
import { z } from 'zod';
import { BadUsageError } from './failures.ts';
import type { Terminal } from './terminal.ts';

const runFileSchema = z.object({ url: z.url(), pid: z.int().optional() });
const exampleUrl = 'http://127.0.0.1:3000';

/** Where the server is: as told, else the one that `npm start` runs here, else this machine at PORT or the default port. */
export async function findServerUrl(terminal: Pick<Terminal, 'env' | 'projectFolder'>, told?: string): Promise<URL> {
  if (told !== undefined) return parseServerUrl(told, '--url');
  if (terminal.env.TWOLANE_URL) return parseServerUrl(terminal.env.TWOLANE_URL, 'TWOLANE_URL');
  return new URL((await readRunningUrl(terminal.projectFolder)) ?? urlOnPort(terminal.env.PORT));
}

function parseServerUrl(text: string, where: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new BadUsageError(`${where} is not a http(s) address: ${JSON.stringify(text)}`, [
      `for example ${exampleUrl}`,
    ]);
  }
  return url;
}

/** PORT is the server's setting: what is wrong with it is for the server to say. */
function urlOnPort(port: string | undefined): string {
  const url = `http://127.0.0.1:${port}`;
  return /^[1-9]\d*$/.test(port ?? '') && URL.canParse(url) ? url : exampleUrl;
}

async function readRunningUrl(projectFolder: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path.join(projectFolder, '.data', 'run.json'), 'utf8');
  } catch {
    return undefined; // nothing runs here, or it is not ours to read: then the default is as good a guess
  }
  const parsed = runFileSchema.safeParse(parseJson(text));
  if (!parsed.success || (parsed.data.pid !== undefined && !isAlive(parsed.data.pid))) return undefined;
  return parsed.data.url;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A start that was killed leaves its file behind; what it says is no longer true. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // alive, and another user's
  }
}

export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
}

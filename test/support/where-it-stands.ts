import { setTimeout as delay } from 'node:timers/promises';

interface Frame {
  functionName: string;
  location: { scriptId: string; lineNumber: number };
}

type Message =
  | { method: 'Debugger.scriptParsed'; params: { scriptId: string; url: string } }
  | { method: 'Debugger.paused'; params: { callFrames: Frame[] } }
  | { method?: undefined };

/**
 * The stack of another Node process that was started with `--inspect-port=port`, also while it spins. Null when it runs no JavaScript:
 * it waits in a system call, as for another process.
 */
export async function whereItStands(pid: number, port: number): Promise<string | null> {
  process.kill(pid, 'SIGUSR1');
  const target = await firstTarget(port);
  if (!target) return null;
  const socket = new WebSocket(target);
  const urls = new Map<string, string>();
  try {
    const paused = new Promise<string>((resolve) => {
      socket.addEventListener('message', ({ data }) => {
        const message = JSON.parse(String(data)) as Message;
        if (message.method === 'Debugger.scriptParsed') urls.set(message.params.scriptId, message.params.url);
        if (message.method === 'Debugger.paused') resolve(stackOf(message.params.callFrames, urls));
      });
    });
    socket.addEventListener('open', () => {
      for (const [id, method] of ['Debugger.enable', 'Debugger.pause'].entries())
        socket.send(JSON.stringify({ id, method }));
    });
    return await Promise.race([paused, delay(5_000, null, { ref: false })]);
  } finally {
    socket.close();
  }
}

async function firstTarget(port: number): Promise<string | null> {
  for (let tries = 0; tries < 50; tries++) {
    try {
      const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
        webSocketDebuggerUrl: string;
      }[];
      if (targets[0]) return targets[0].webSocketDebuggerUrl;
    } catch {
      await delay(100); // it opens its port by and by
    }
  }
  return null;
}

const stackOf = (frames: readonly Frame[], urls: ReadonlyMap<string, string>) =>
  frames
    .map(({ functionName, location }) => {
      const place = `${urls.get(location.scriptId)}:${location.lineNumber + 1}`;
      return `    at ${functionName || '(anonymous)'} (${place})`;
    })
    .join('\n');

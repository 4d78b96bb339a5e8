import { spawn } from 'node:child_process';

/**
 * Sends the signal to a process of ours, and removes a folder once it is gone, when this process dies without a chance to
 * do so itself: a shell waits at the other end of a pipe, which the system closes for us. Call the result to call it off.
 */
export function endWithUs(pid: number, signal: 'INT' | 'TERM', folder?: string): () => void {
  // at most 10 s: a zombie that its new parent never reaps looks alive for ever
  const waitForEnd = 'n=0; while [ $n -lt 100 ] && kill -0 "$0"; do n=$((n+1)); sleep 0.1; done';
  const script = `read _; kill -"$1" "$0"; ${waitForEnd}; [ -z "$2" ] || rm -rf -- "$2"`;
  const watch = spawn('/bin/sh', ['-c', script, String(pid), signal, folder ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // a Ctrl-C for our process group must leave it alone
  });
  watch.on('error', () => {}); // no shell, no watch
  watch.unref();
  if ('unref' in watch.stdin && typeof watch.stdin.unref === 'function') watch.stdin.unref();
  return () => {
    watch.kill('SIGKILL');
  };
}

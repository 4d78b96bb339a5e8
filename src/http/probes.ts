const probes = new Set(['/healthz', '/readyz']);

/** Asked by what restarts a process that does not answer: never limited, and answered under any load. */
export function isProbe(url: string | undefined): boolean {
  return probes.has(url ?? '');
}

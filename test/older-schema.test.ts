import { describe, expect, it } from 'vitest';
import { backends, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startProcess } from './support/engine-process.ts';

describe.each(backends)('a process on an older schema, on %s', (backend) => {
  it('refuses to start and says which command to run', async () => {
    const engine = await startEngine(backend, { roles: [] });
    const started: EngineProcess[] = [];
    try {
      await engine.database.query('DELETE FROM schema_migrations');
      for (const program of [['src/server.ts'], ['workers/main.ts', 'bots'], ['workers/main.ts', 'relay']]) {
        const one = startProcess(program, engine.environment);
        started.push(one);
        expect(await one.ended, program.join(' ')).toEqual({ code: 1, signal: null });
        expect(one.lines.join('\n')).toMatch(/lacks 0001_engine\.sql.*npm run migrate/);
      }
      const ready = await engine.api.call<{ missing: string[] }>('GET', '/readyz');
      expect(ready).toMatchObject({ status: 503, body: { missing: ['migrations'] } });
    } finally {
      await killAll(started);
      await engine.close();
    }
  });
});

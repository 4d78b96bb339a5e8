import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseProcfile, readProcfile } from './procfile.ts';

const root = path.join(import.meta.dirname, '../..');

type ComposeFile = {
  services: Record<
    string,
    { command?: string[]; environment?: Record<string, unknown>; depends_on?: Record<string, { condition: string }> }
  >;
};

describe('the Procfile', () => {
  it('is read line by line, without comments and blank lines', () => {
    expect(parseProcfile('# all\n\nrelease: node a.ts\r\nweb:   node b.ts --x\n')).toEqual([
      { name: 'release', command: 'node a.ts' },
      { name: 'web', command: 'node b.ts --x' },
    ]);
  });

  it('names the line that is none', () => {
    expect(() => parseProcfile('web: node a.ts\nnode b.ts')).toThrow(
      'Procfile line 2 is not `name: command`: node b.ts',
    );
    expect(() => parseProcfile('web:')).toThrow('line 1');
  });

  it('starts what docker-compose.yml starts, each after the release', () => {
    const compose = parse(readFileSync(path.join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as ComposeFile;
    const { postgres, redis, ...processes } = compose.services;
    expect(Object.entries(processes).map(([name, { command }]) => ({ name, command: command?.join(' ') }))).toEqual(
      readProcfile(path.join(root, 'Procfile')),
    );
    for (const [name, { depends_on: after }] of Object.entries(processes)) {
      const release = name === 'release' ? {} : { release: { condition: 'service_completed_successfully' } };
      expect(after).toMatchObject({ postgres: { condition: 'service_healthy' }, ...release });
    }
    expect(redis?.command).toEqual(expect.arrayContaining(['noeviction', '--appendonly']));
    expect(postgres?.environment).toMatchObject({ POSTGRES_DB: processes.web?.environment?.DB_NAME });
  });
});

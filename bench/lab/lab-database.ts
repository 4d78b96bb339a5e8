import pg from 'pg';

export interface LabDatabase {
  name: string;
  url: string;
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Closes our own connections: a template must have none. */
  leave(): Promise<void>;
  drop(): Promise<void>;
}

export function openLabDatabase(name: string, url: string, server: pg.Pool): LabDatabase {
  const pool = new pg.Pool({ connectionString: url, max: 2, idleTimeoutMillis: 0 });
  pool.on('error', () => undefined); // a dropped database ends the connection that is closing just then
  const leave = async () => {
    if (!pool.ended) await pool.end();
  };
  return {
    name,
    url,
    query: async (text, values) => (await pool.query(text, values)).rows as never, // the caller names its columns
    leave,
    async drop() {
      await leave();
      await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

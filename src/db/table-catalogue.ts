import pg from 'pg';

/** The schema that our tables are in. */
export const ourSchema = 'public';

export interface CatalogueColumn {
  name: string;
  /** As Postgres writes it: `timestamp with time zone`. */
  type: string;
  isBuiltIn: boolean;
  isRequired: boolean;
  isGenerated: boolean;
  /** Of a generated one, how. Null where there is none, or none that would mean the same elsewhere. */
  default: string | null;
}

export interface CatalogueTable {
  name: string;
  columns: CatalogueColumn[];
  /** How many rows it has, by the last look of the server. */
  estimatedRows: number;
}

export interface CatalogueConstraint {
  table: string;
  name: string;
  kind: 'foreign' | 'unique';
  definition: string;
}

export interface CatalogueIndex {
  table: string;
  name: string;
  definition: string;
}

export interface CatalogueSequence {
  name: string;
  lastValue: string;
  isCalled: boolean;
}

export interface Catalogue {
  tables: CatalogueTable[];
  constraints: CatalogueConstraint[];
  /** Those that carry no constraint. */
  indexes: CatalogueIndex[];
  sequences: CatalogueSequence[];
  /** With tables of somebody else. */
  otherSchemas: string[];
}

const isOfExtension = (catalogue: string, oid: string) =>
  `EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalogue}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

const listTables = `
  SELECT c.relname AS name,
    (CASE WHEN c.reltuples > 0 AND c.relpages > 0
      THEN c.reltuples / c.relpages * pg_relation_size(c.oid) / current_setting('block_size')::int
      ELSE pg_relation_size(c.oid) / 100 END)::bigint::float8 AS "estimatedRows",
    (SELECT coalesce(json_agg(json_build_object(
        'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'isBuiltIn', t.typnamespace = 'pg_catalog'::regnamespace,
        'isRequired', a.attnotnull, 'isGenerated', a.attgenerated <> '',
        'default', (SELECT pg_get_expr(e.adbin, e.adrelid) FROM pg_attrdef e
          WHERE e.adrelid = c.oid AND e.adnum = a.attnum AND NOT EXISTS (SELECT FROM pg_depend p
            WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = e.oid AND p.refclassid = 'pg_proc'::regclass))
      ) ORDER BY a.attnum), '[]')
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_class c
  WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND NOT ${isOfExtension('pg_class', 'c.oid')}
  ORDER BY c.relname`;

const listConstraints = `
  SELECT c.relname AS table, k.conname AS name, CASE k.contype WHEN 'f' THEN 'foreign' ELSE 'unique' END AS kind,
    pg_get_constraintdef(k.oid) AS definition
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND k.contype IN ('p', 'u', 'x', 'f') AND k.conparentid = 0
    AND NOT ${isOfExtension('pg_class', 'c.oid')}
  ORDER BY k.contype = 'f', c.relname, k.conname`;

// With `true` the table is named without its schema, since that is in the search path.
const listIndexes = `
  SELECT c.relname AS table, i.relname AS name, pg_get_indexdef(i.oid, 0, true) AS definition
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
  WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND x.indisvalid
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    AND NOT ${isOfExtension('pg_class', 'c.oid')}
  ORDER BY c.relname, i.relname`;

const listSequences = `
  SELECT c.relname AS name FROM pg_class c
  WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'S' AND NOT ${isOfExtension('pg_class', 'c.oid')}
  ORDER BY c.relname`;

const listOtherSchemas = `
  SELECT n.nspname AS name FROM pg_namespace n
  WHERE n.nspname <> $1 AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p'))
  ORDER BY n.nspname`;

/** What is there, by the account of the server itself: a table that a later migration adds is not forgotten by anybody. */
export async function readCatalogue(client: pg.Client): Promise<Catalogue> {
  const { rows: tables } = await client.query<CatalogueTable>(listTables, [ourSchema]);
  const { rows: constraints } = await client.query<CatalogueConstraint>(listConstraints, [ourSchema]);
  const { rows: indexes } = await client.query<CatalogueIndex>(listIndexes, [ourSchema]);
  const { rows: others } = await client.query<{ name: string }>(listOtherSchemas, [ourSchema]);
  return {
    tables,
    constraints,
    indexes,
    sequences: await readSequences(client),
    otherSchemas: others.map(({ name }) => name),
  };
}

/** Sequences know no snapshot: read after it was taken, they are ahead of every row in it. */
export async function readSequences(client: pg.Client): Promise<CatalogueSequence[]> {
  const { rows: found } = await client.query<{ name: string }>(listSequences, [ourSchema]);
  const sequences: CatalogueSequence[] = [];
  for (const { name } of found) {
    const { rows } = await client.query<CatalogueSequence>(
      `SELECT $1 AS name, last_value::text AS "lastValue", is_called AS "isCalled" FROM ${pg.escapeIdentifier(name)}`,
      [name],
    );
    sequences.push(...rows);
  }
  return sequences;
}

import postgres from 'postgres';

/** Drops a database schema with all that is in it; false where there is none. */
export async function dropSchema(url: string, schema: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const found = await sql`select 1 from information_schema.schemata where schema_name = ${schema}`;
    if (found.length === 0) return false;
    await sql`drop schema ${sql(schema)} cascade`;
    return true;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

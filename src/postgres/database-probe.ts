import postgres from 'postgres';

/** Resolves when the database answers a query; rejects with what went wrong. For health checks. */
export async function probeDatabase(url: string, timeoutMs: number): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: Math.max(1, Math.ceil(timeoutMs / 1000)), onnotice: () => undefined });
  try {
    await sql`select 1`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

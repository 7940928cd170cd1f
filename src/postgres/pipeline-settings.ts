import { SettingsError, type Settings } from '../runtime/task-state.js';
import { arrayLiteral } from './cell-text.js';
import type { Queries } from './session.js';

/** The settings the rows were made with, by name; empty before the first start. */
export async function readPipelineSettings(queries: Queries): Promise<Record<string, string>> {
  const rows = await queries.query<{ name: string; value: string }>('SELECT name, value FROM pipeline_settings ORDER BY name');
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

/**
 * Stores the settings at the first start, and compares them at every later one: rows made with different settings do not
 * belong in one table. Settings not stored yet are added. Throws SettingsError, which names both values of each that differs.
 */
export async function claimPipelineSettings(queries: Queries, settings: Settings): Promise<void> {
  const names = Object.keys(settings);
  await queries.query('INSERT INTO pipeline_settings (name, value) SELECT unnest($1::text[]), unnest($2::text[]) ON CONFLICT DO NOTHING', [
    arrayLiteral('text', names),
    arrayLiteral('text', names.map((name) => String(settings[name]))),
  ]);
  const stored = await readPipelineSettings(queries);
  const differences = names.filter((name) => stored[name] !== String(settings[name]));
  if (differences.length === 0) return;
  const told = differences.map((name) => `${name} is ${stored[name]} in the tables and ${settings[name]} in this start`);
  throw new SettingsError(`the tables were made with other settings: ${told.join('; ')}; start with those, or choose another --namespace`);
}

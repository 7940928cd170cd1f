import { OPTIONS, type OptionName, type Options } from '../config/options.js';
import { openDatabase } from '../postgres/database.js';
import { requireMigrated } from '../postgres/migrate.js';
import { readPipelineSettings } from '../postgres/pipeline-settings.js';
import { PIPELINE_OPTIONS, type PipelineOptions } from './role-table.js';

/** The settings the live tables were made with; those of this start where none are stored yet. */
export async function storedSettings(options: PipelineOptions & Pick<Options, 'databaseUrl'>, schema: string): Promise<PipelineOptions> {
  const database = openDatabase({ databaseUrl: options.databaseUrl, schema, applicationName: 'position-linker rebuild' });
  try {
    await requireMigrated(database, schema);
    const stored = await readPipelineSettings(database);
    return Object.fromEntries(PIPELINE_OPTIONS.map((name) => {
      const text = stored[name];
      return [name, text === undefined ? options[name] : OPTIONS[name].parse(text)];
    })) as unknown as PipelineOptions;
  } finally {
    await database.close();
  }
}

/** The stored settings with those that a flag says otherwise, and the names of these. */
export function imaginedSettings(stored: PipelineOptions, options: PipelineOptions, flags: ReadonlySet<OptionName>): { readonly imagined: PipelineOptions; readonly changed: readonly (keyof PipelineOptions)[] } {
  const changed = PIPELINE_OPTIONS.filter((name) => flags.has(name) && options[name] !== stored[name]);
  return { imagined: { ...stored, ...Object.fromEntries(changed.map((name) => [name, options[name]])) }, changed };
}

/** Longer than any log: nothing is ever too late. */
const HUNDRED_YEARS_MS = 100 * 366 * 86_400_000;
const MANY_EVENTS = 1_000_000_000;

export function withoutHorizon(settings: PipelineOptions): PipelineOptions {
  return { ...settings, horizonMs: HUNDRED_YEARS_MS, horizonEvents: MANY_EVENTS };
}

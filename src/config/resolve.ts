import { GuidedError } from './guided-error.js';
import { OptionValueError, type OptionSpec } from './option.js';
import { OPTIONS, type OptionName, type Options } from './options.js';

/** A value that cannot be used, or one that is missing. The message names flag or variable, never the value of a URL. */
export class OptionError extends GuidedError {
  override name = 'OptionError';
}

/**
 * Values of the named options: from the flags, else from the environment (an empty variable counts as unset), else the
 * fallback. Throws OptionError for the first one that is refused or missing.
 */
export function resolveOptions<N extends OptionName>(
  names: readonly N[],
  flags: ReadonlyMap<OptionName, string>,
  env: Readonly<Record<string, string | undefined>>,
): Pick<Options, N> {
  const values: Partial<Record<OptionName, unknown>> = {};
  for (const name of names) values[name] = resolveOption(OPTIONS[name] as OptionSpec<unknown>, flags.get(name), env);
  return values as Pick<Options, N>;
}

function resolveOption(spec: OptionSpec<unknown>, flag: string | undefined, env: Readonly<Record<string, string | undefined>>): unknown {
  if (flag !== undefined) return parseFrom(spec, spec.flag, flag);
  const variable = env[spec.env];
  if (variable !== undefined && variable !== '') return parseFrom(spec, spec.env, variable);
  if (spec.fallback === undefined) throw new OptionError(`neither ${spec.flag} nor ${spec.env} is set`, spec.nextStep ?? `set ${spec.flag}`);
  return spec.fallback;
}

function parseFrom(spec: OptionSpec<unknown>, place: string, text: string): unknown {
  try {
    return spec.parse(text);
  } catch (error) {
    if (!(error instanceof OptionValueError)) throw error;
    throw new OptionError(`the value of ${place} is ${error.message}`, `${spec.flag}: ${spec.help}`);
  }
}

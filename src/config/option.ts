/** Why a value was refused, without the option's name: the caller knows where the text came from. */
export class OptionValueError extends Error {
  override name = 'OptionValueError';
}

/** One option, declared once: everything that flags, environment, help and documentation need to know of it. */
export interface OptionSpec<T> {
  /** With its dashes. */
  readonly flag: `--${string}`;
  readonly env: string;
  /** Word for the value in help; null for a switch, which takes none. */
  readonly placeholder: string | null;
  readonly unit: string | null;
  /** Value when neither flag nor environment says one; undefined: there is none and the command cannot run. */
  readonly fallback: T | undefined;
  readonly help: string;
  /** Only on options without fallback: where the value comes from. */
  readonly nextStep?: string;
  /** Text to value; throws OptionValueError. A switch gets "true" or "false". */
  readonly parse: (text: string) => T;
}

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new OptionValueError(max === Number.MAX_SAFE_INTEGER ? `not a whole number of at least ${min}` : `not a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new OptionValueError(`not one of ${choices.join(', ')}`);
    return choice;
  };
}

export function nonEmpty(text: string): string {
  if (text === '') throw new OptionValueError('empty');
  return text;
}

export function matching(pattern: RegExp, description: string): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new OptionValueError(`not ${description}`);
    return text;
  };
}

/** host:port pairs separated by commas, at least one. */
export function addresses(text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  if (parts.length === 0) throw new OptionValueError('empty; give host:port, several separated by commas');
  for (const part of parts) {
    const port = /^(?:\[[0-9A-Fa-f:.%]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(part)?.[1];
    if (port === undefined || Number(port) < 1 || Number(port) > 65535) throw new OptionValueError('not host:port, several separated by commas');
  }
  return parts;
}

/** A URL of one of the protocols, without a slash at its end. Its text never appears in an error: it may hold a password. */
export function url(...protocols: readonly string[]): (text: string) => string {
  return (text) => {
    const wanted = protocols.map((protocol) => `${protocol}//`).join(' or ');
    const protocol = URL.canParse(text) ? new URL(text).protocol : null;
    if (protocol === null || !protocols.includes(protocol)) throw new OptionValueError(`not a URL beginning with ${wanted}`);
    return text.replace(/\/+$/, '');
  };
}

/** Like url, several separated by commas. */
export function urls(...protocols: readonly string[]): (text: string) => string {
  const one = url(...protocols);
  return (text) => text.split(',').map((part) => one(part.trim())).join(',');
}

export function boolean(text: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new OptionValueError('not true or false');
}

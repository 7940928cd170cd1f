/** Confluent's seven levels, strictest first. */
export const COMPATIBILITY_LEVELS = ['FULL_TRANSITIVE', 'FULL', 'BACKWARD_TRANSITIVE', 'BACKWARD', 'FORWARD_TRANSITIVE', 'FORWARD', 'NONE'] as const;

export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number];

/** Every version of a record stays readable by every other one: logs are read from their beginning, by any release. */
export const DEFAULT_LEVEL: CompatibilityLevel = 'FULL_TRANSITIVE';

/** Who reads whom: backward is the new schema reading old records, forward an old reader reading new records. */
export type Direction = 'backward' | 'forward';

export function directionsOf(level: CompatibilityLevel): readonly Direction[] {
  if (level.startsWith('FULL')) return ['backward', 'forward'];
  if (level.startsWith('BACKWARD')) return ['backward'];
  return level.startsWith('FORWARD') ? ['forward'] : [];
}

export function isTransitive(level: CompatibilityLevel): boolean {
  return level.endsWith('_TRANSITIVE');
}

/** Which of the earlier versions, oldest first, a level compares with: all of them, or the latest. */
export function comparedVersions<T>(level: CompatibilityLevel, versions: readonly T[]): readonly T[] {
  return isTransitive(level) ? versions : versions.slice(-1);
}

/** What the level asks of readers: new ones of old records, old ones of new records, and of how many versions. */
function strictness(level: CompatibilityLevel): { readonly directions: readonly Direction[]; readonly isOfAll: boolean } {
  return { directions: directionsOf(level), isOfAll: isTransitive(level) };
}

/** Whether `to` lets something pass that `from` stops. BACKWARD to FORWARD does, though neither is below the other. */
export function isLooser(to: CompatibilityLevel, from: CompatibilityLevel): boolean {
  const [wanted, had] = [strictness(to), strictness(from)];
  return had.directions.some((direction) => !wanted.directions.includes(direction)) || (had.isOfAll && !wanted.isOfAll);
}

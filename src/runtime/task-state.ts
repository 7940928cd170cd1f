import type { MergeInputState, MergeState } from './merge.js';

/*
 * What the runtime itself keeps in a task's changelog, under keys that no processor uses. It is committed with the
 * input offsets in one transaction, so state and position cannot disagree.
 */

export const MERGE_KEY = '#merge';
export const SETTINGS_KEY = '#settings';

export const STATE_KEY = '#state';

/** The version of state that nobody wrote a version for: the first. */
export const FIRST_STATE_VERSION = 1;

/** State of a version this program cannot go on from. */
export class StateVersionError extends Error {
  override name = 'StateVersionError';
  readonly nextStep: string;

  constructor(message: string, nextStep: string) {
    super(message);
    this.nextStep = nextStep;
  }
}

export function stateVersionBytes(version: number): Uint8Array {
  return Buffer.from(JSON.stringify({ version }));
}

/** Version of the state that lies in the changelog. Throws StateVersionError when a newer program wrote it. */
export function readStateVersion(role: string, bytes: Uint8Array, known: number): number {
  const { version } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly version: number };
  if (version > known) {
    throw new StateVersionError(
      `the state of ${role} has version ${version}, this program knows ${known}: a newer one wrote it`,
      'start the newer version of position-linker again, or begin anew under another --namespace',
    );
  }
  return version;
}

/** Options a role's results depend on, by name; part of its state from the first commit on. */
export type Settings = Readonly<Record<string, string | number>>;

/** The state was made with other settings than the role was started with. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

export function assertSameSettings(role: string, stored: Uint8Array, wanted: Settings): void {
  const before = JSON.parse(Buffer.from(stored).toString('utf8')) as Settings;
  const names = [...new Set([...Object.keys(before), ...Object.keys(wanted)])].filter((name) => before[name] !== wanted[name]);
  if (names.length === 0) return;
  const shown = (settings: Settings, name: string): string => (settings[name] === undefined ? 'not set' : String(settings[name]));
  const differences = names.map((name) => `${name} is ${shown(before, name)} in the state and ${shown(wanted, name)} in this start`);
  throw new SettingsError(`${role} was first started with other settings: ${differences.join('; ')}`);
}

/** A task between two takes of its merge. */
export interface TaskPosition {
  readonly merge: MergeState;
  /** Highest watermark written to the outputs, or -1. */
  readonly forwardedMs: number;
}

interface StoredPosition {
  readonly version: 1;
  readonly mergedMs: number;
  readonly forwardedMs: number;
  readonly inputs: Readonly<Record<string, MergeInputState>>;
}

export function taskPositionBytes(position: TaskPosition, topics: readonly string[]): Uint8Array {
  const inputs = Object.fromEntries(topics.map((topic, index) => [topic, position.merge.inputs[index] as MergeInputState]));
  const stored: StoredPosition = { version: 1, mergedMs: position.merge.mergedMs, forwardedMs: position.forwardedMs, inputs };
  return Buffer.from(JSON.stringify(stored));
}

/** Throws when the state is of another version, or of other input topics. */
export function parseTaskPosition(bytes: Uint8Array, topics: readonly string[]): TaskPosition {
  const stored = JSON.parse(Buffer.from(bytes).toString('utf8')) as StoredPosition;
  if (stored.version !== 1) {
    throw new StateVersionError(`the stored position has version ${String(stored.version)}, this program knows 1: a newer one wrote it`, 'start the newer version of position-linker again');
  }
  const names = Object.keys(stored.inputs);
  if (names.length !== topics.length) throw new Error(`the stored position has inputs ${names.join(', ')}, the role reads ${topics.join(', ')}`);
  const inputs = topics.map((topic) => {
    const input = stored.inputs[topic];
    if (input === undefined) throw new Error(`the stored position has no input ${topic}`);
    return input;
  });
  return { merge: { mergedMs: stored.mergedMs, inputs }, forwardedMs: stored.forwardedMs };
}

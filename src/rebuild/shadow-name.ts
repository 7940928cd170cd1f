/** Schemas that rebuilds work in, beside the live one; a rebuild that was killed may leave one behind. */
export type ShadowKind = '' | '_part' | '_range' | '_was' | '_would';

const KINDS: readonly ShadowKind[] = ['', '_part', '_range', '_was', '_would'];

export function shadowName(schema: string, kind: ShadowKind = ''): string {
  return `${schema}_rebuild${kind}`;
}

export function shadowNames(schema: string): string[] {
  return KINDS.map((kind) => shadowName(schema, kind));
}

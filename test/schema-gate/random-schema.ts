/*
 * Random Avro schemas and random edits of them, the same for the same seed.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Draft = { [key: string]: unknown };

/** Small and repeatable (mulberry32). */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 up to, and without, 1. */
  roll(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(end: number): number {
    return Math.floor(this.roll() * end);
  }

  chance(probability: number): boolean {
    return this.roll() < probability;
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

const PRIMITIVES = ['boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
const SYMBOLS = ['A', 'B', 'C', 'D', 'E'];

class SchemaMaker {
  private readonly dice: Dice;
  private readonly prefix: string;
  private named = 0;
  /** Records being made, for fields that speak of them. */
  private readonly open: string[] = [];

  /** The prefix keeps names apart from those that are there. */
  constructor(dice: Dice, prefix: string) {
    this.dice = dice;
    this.prefix = prefix;
  }

  record(depth: number): Draft {
    const name = `R${this.prefix}${this.named++}`;
    this.open.push(name);
    const fields = Array.from({ length: 1 + this.dice.below(4) }, (_, index) => this.field(`f${index}`, depth));
    this.open.pop();
    return { type: 'record', name, ...(this.dice.chance(0.15) && { namespace: this.dice.one(['x', 'y.z']) }), fields };
  }

  private field(name: string, depth: number): Draft {
    const type = this.type(depth + 1);
    const value = this.dice.chance(0.4) ? defaultOf(type) : undefined;
    return { name, type, ...(value !== undefined && { default: value }) };
  }

  type(depth: number): unknown {
    const roll = this.dice.roll();
    if (roll < 0.42 || depth > 3) return this.dice.one(PRIMITIVES);
    if (roll < 0.5) return this.logical();
    if (roll < 0.58) return { type: 'enum', name: `E${this.prefix}${this.named++}`, ...this.symbols() };
    if (roll < 0.64) return { type: 'fixed', name: `X${this.prefix}${this.named++}`, size: this.dice.one([2, 4, 8]) };
    if (roll < 0.7) return { type: 'array', items: this.type(depth + 1) };
    if (roll < 0.75) return { type: 'map', values: this.type(depth + 1) };
    if (roll < 0.85) return this.record(depth + 1);
    const own = this.open[0];
    if (roll < 0.88 && own !== undefined && this.open.length === 1) return ['null', own];
    return this.union(depth);
  }

  private symbols(): Draft {
    const symbols = SYMBOLS.slice(0, 1 + this.dice.below(4));
    return { symbols, ...(this.dice.chance(0.4) && { default: this.dice.one(symbols) }) };
  }

  private logical(): Draft {
    return this.dice.one<Draft>([
      { type: 'bytes', logicalType: 'decimal', precision: 18, scale: this.dice.one([2, 8]) },
      { type: 'long', logicalType: this.dice.one(['timestamp-millis', 'timestamp-micros']) },
      { type: 'string', logicalType: 'uuid' },
      { type: 'int', logicalType: 'date' },
    ]);
  }

  private union(depth: number): unknown {
    const branches: unknown[] = this.dice.chance(0.7) ? ['null'] : [];
    const kinds = new Set(branches);
    for (let left = 1 + this.dice.below(3); left > 0; left--) {
      const branch = this.type(depth + 2);
      const kind = kindOf(branch);
      if (Array.isArray(branch) || kinds.has(kind)) continue;
      kinds.add(kind);
      branches.push(branch);
    }
    return branches.length === 0 ? 'int' : branches;
  }
}

function kindOf(type: unknown): string {
  if (typeof type === 'string') return type;
  const { type: kind, name } = type as Draft;
  return typeof name === 'string' ? name : String(kind);
}

function defaultOf(type: unknown): unknown {
  if (Array.isArray(type)) return type.length === 0 ? undefined : defaultOf(type[0]);
  const kind = typeof type === 'string' ? type : (type as Draft)['type'];
  switch (kind) {
    case 'null':
      return null;
    case 'boolean':
      return false;
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 0;
    case 'string':
      return '';
    case 'bytes':
      return '\u0000';
    case 'array':
      return [];
    case 'map':
      return {};
    case 'enum':
      return ((type as Draft)['symbols'] as readonly string[])[0];
    default:
      return undefined;
  }
}

export function randomSchema(dice: Dice): Json {
  const maker = new SchemaMaker(dice, '');
  const schema = dice.chance(0.9) ? maker.record(0) : maker.type(0);
  return schema as Json;
}

/** Every type node of the schema with a way to put another in its place. */
interface Spot {
  readonly node: unknown;
  readonly put: (other: unknown) => void;
}

function spotsOf(root: Spot): Spot[] {
  const { node } = root;
  if (Array.isArray(node)) return [root, ...node.flatMap((branch, index) => spotsOf({ node: branch, put: (other) => void (node[index] = other) }))];
  if (typeof node !== 'object' || node === null) return [root];
  const draft = node as Draft;
  const inner: Spot[] = [];
  for (const key of ['items', 'values']) if (key in draft) inner.push(...spotsOf({ node: draft[key], put: (other) => void (draft[key] = other) }));
  for (const field of (draft['fields'] as Draft[] | undefined) ?? []) inner.push(...spotsOf({ node: field['type'], put: (other) => void (field['type'] = other) }));
  return [root, ...inner];
}

type EditKind = (dice: Dice, spots: readonly Spot[]) => void;

const isOf = (kind: string) => ({ node }: Spot): boolean => typeof node === 'object' && node !== null && (node as Draft)['type'] === kind;

function onOne(kind: string, change: (draft: Draft, dice: Dice) => void): EditKind {
  return (dice, spots) => {
    const fitting = spots.filter(isOf(kind));
    if (fitting.length > 0) change(dice.one(fitting).node as Draft, dice);
  };
}

function onField(change: (field: Draft, dice: Dice, record: Draft) => void): EditKind {
  return onOne('record', (record, dice) => {
    const fields = record['fields'] as Draft[];
    if (fields.length > 0) change(dice.one(fields), dice, record);
  });
}

const onNamed: readonly EditKind[] = ['record', 'enum', 'fixed'].flatMap((kind) => [
  onOne(kind, (draft) => rename(draft, `${draft['name'] as string}n`)),
  onOne(kind, (draft) => {
    const old = draft['namespace'] === undefined ? (draft['name'] as string) : `${draft['namespace'] as string}.${draft['name'] as string}`;
    rename(draft, `${draft['name'] as string}n`);
    draft['aliases'] = [old];
  }),
  onOne(kind, (draft, dice) => void (draft['namespace'] = dice.one(['x', 'w']))),
]);

function rename(draft: Draft, name: string): void {
  draft['name'] = name;
}

const EDITS: readonly EditKind[] = [
  (dice, spots) => dice.one(spots).put(dice.one(PRIMITIVES)),
  (dice, spots) => {
    const spot = dice.one(spots.filter(({ node }) => typeof node === 'string' && (PRIMITIVES as readonly string[]).includes(node)));
    const wider: Readonly<Record<string, string>> = { int: 'long', long: 'double', float: 'double', string: 'bytes', bytes: 'string', double: 'float', boolean: 'int' };
    if (spot !== undefined) spot.put(wider[spot.node as string]);
  },
  (dice, spots) => dice.one(spots).put(new SchemaMaker(dice, `M${dice.below(1000)}_`).type(2)),
  (dice, spots) => {
    const spot = dice.one(spots);
    if (!Array.isArray(spot.node)) spot.put(dice.chance(0.7) ? ['null', spot.node] : [spot.node, dice.one(['null', 'int', 'string'])]);
  },
  (dice, spots) => {
    const unions = spots.filter(({ node }) => Array.isArray(node));
    if (unions.length > 0) {
      const spot = dice.one(unions);
      const branches = spot.node as unknown[];
      const choice = dice.below(4);
      if (choice === 0) spot.put(branches[dice.below(branches.length)] ?? 'int');
      else if (choice === 1) branches.splice(dice.below(branches.length), 1);
      else if (choice === 2) branches.push(dice.chance(0.5) ? dice.one(PRIMITIVES) : new SchemaMaker(dice, `B${dice.below(1000)}_`).record(3));
      else branches.reverse();
    }
  },
  onOne('record', (record, dice) => {
    // Now and then a name that is taken, which makes the schema invalid.
    const type = new SchemaMaker(dice, dice.chance(0.02) ? '' : `N${dice.below(1000)}_`).type(2);
    (record['fields'] as Draft[]).push({ name: `g${dice.below(100)}`, type, ...(dice.chance(0.6) && defaultOf(type) !== undefined && { default: defaultOf(type) }) });
  }),
  onField((field, _dice, record) => void (record['fields'] = (record['fields'] as Draft[]).filter((other) => other !== field))),
  onField((field) => void (field['name'] = `${field['name'] as string}n`)),
  onField((field) => {
    field['aliases'] = [field['name']];
    field['name'] = `${field['name'] as string}n`;
  }),
  onField((field, dice, record) => void (field['aliases'] = [dice.one(record['fields'] as Draft[])['name']])),
  onField((field) => void delete field['default']),
  onField((field) => {
    const value = defaultOf(field['type']);
    if (value !== undefined) field['default'] = value;
  }),
  onOne('record', (record) => void (record['fields'] as Draft[]).reverse()),
  onOne('enum', (draft) => void (draft['symbols'] = [...(draft['symbols'] as string[]), 'Z'])),
  onOne('enum', (draft) => void (draft['symbols'] = (draft['symbols'] as string[]).slice(0, -1))),
  onOne('enum', (draft) => void delete draft['default']),
  onOne('enum', (draft) => void (draft['default'] = (draft['symbols'] as string[])[0])),
  onOne('fixed', (draft, dice) => void (draft['size'] = dice.one([2, 4, 8]))),
  onOne('bytes', (draft, dice) => void (draft['scale'] = dice.one([0, 2, 8]))),
  onOne('long', (draft) => void delete draft['logicalType']),
  ...onNamed,
];

/** One to three edits; the result may be no valid schema. */
export function randomEdit(dice: Dice, schema: Json): Json {
  let root = structuredClone(schema) as unknown;
  for (let left = 1 + dice.below(3); left > 0; left--) {
    const spots = spotsOf({ node: root, put: (other) => void (root = other) });
    dice.one(EDITS)(dice, spots);
  }
  return root as Json;
}

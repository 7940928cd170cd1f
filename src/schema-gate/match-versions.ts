/*
 * Which earlier version belongs to which schema, when all that is known are two trees of files. A schema's identity is its
 * full name; but names may change, and be the same in several files, and then the place in the tree tells.
 */

export interface NamedFile {
  /** Path inside its tree, with /. */
  readonly path: string;
  /** Of the root type; null if it has none, or cannot be read. */
  readonly fullName: string | null;
}

export interface CheckedFile extends NamedFile {
  /** Full names that the root type had before. */
  readonly aliases: readonly string[];
}

/** Index of the checked file that each earlier file is a version of; null for one that belongs to none. */
export function matchVersions(checked: readonly CheckedFile[], earlier: readonly NamedFile[]): readonly (number | null)[] {
  const byPath = earlier.map((file) => indexByPath(checked, file));
  const byName = earlier.map((file) => checked.flatMap((candidate, index) => (file.fullName !== null && candidate.fullName === file.fullName ? [index] : [])));
  /** Checked files that have a version at their own place: a name alone does not make them take another's. */
  const settled = new Set(byPath);
  const matched = earlier.map((file, at) => {
    const place = byPath[at] ?? null;
    const names = byName[at] ?? [];
    if (place !== null && names.includes(place)) return place;
    const [named] = names;
    if (named !== undefined && (place === null || !settled.has(named))) return named;
    return place ?? indexByAlias(checked, file) ?? indexBySimpleName(checked, file);
  });
  return besideTheirKin(checked, earlier, matched);
}

/** Files that nothing tells apart belong where the others of their folder belong; with one schema alone, to that one. */
function besideTheirKin(checked: readonly CheckedFile[], earlier: readonly NamedFile[], matched: readonly (number | null)[]): readonly (number | null)[] {
  const isLost = checked.length === 1 && matched.every((index) => index === null);
  return matched.map((index, at) => {
    if (index !== null) return index;
    if (isLost) return 0;
    const folder = folderOf(earlier[at]?.path ?? '');
    if (!isVersionName(stemOf(earlier[at]?.path ?? ''))) return null;
    const kin = new Set(matched.filter((other, otherAt) => other !== null && folderOf(earlier[otherAt]?.path ?? '') === folder));
    return kin.size === 1 ? ([...kin][0] as number) : null;
  });
}

function indexByPath(checked: readonly CheckedFile[], file: NamedFile): number | null {
  const parts = file.path.split('/');
  const whole = withoutExtension(file.path);
  const folders = parts.slice(0, -1);
  const attempts: readonly ((candidate: CheckedFile) => boolean)[] = [
    // The same file in both trees.
    (candidate) => withoutExtension(candidate.path) === whole,
    // A folder named after the file, or the record, with its versions inside.
    (candidate) => folders.some((_folder, depth) => folders.slice(0, depth + 1).join('/') === withoutExtension(candidate.path)),
    (candidate) => folders.some((folder) => isNameOf(candidate, folder)),
    // A folder for each version, or the version at the end of the file's name.
    (candidate) => isNameOf(candidate, stemOf(file.path)),
    (candidate) => isNameOf(candidate, withoutVersion(stemOf(file.path))),
  ];
  for (const attempt of attempts) {
    const fitting = checked.flatMap((candidate, index) => (attempt(candidate) ? [index] : []));
    if (fitting.length === 1) return fitting[0] as number;
  }
  return null;
}

function isNameOf(candidate: CheckedFile, name: string): boolean {
  const plain = plainName(name);
  if (plain === '') return false;
  const simpleName = candidate.fullName?.slice(candidate.fullName.lastIndexOf('.') + 1) ?? '';
  return [stemOf(candidate.path), candidate.fullName ?? '', simpleName].some((other) => plainName(other) === plain);
}

function indexByAlias(checked: readonly CheckedFile[], file: NamedFile): number | null {
  return only(checked, (candidate) => file.fullName !== null && candidate.aliases.includes(file.fullName));
}

function indexBySimpleName(checked: readonly CheckedFile[], file: NamedFile): number | null {
  const simple = (name: string | null): string | null => name?.slice(name.lastIndexOf('.') + 1) ?? null;
  return only(checked, (candidate) => file.fullName !== null && simple(candidate.fullName) === simple(file.fullName));
}

function only(checked: readonly CheckedFile[], fits: (candidate: CheckedFile) => boolean): number | null {
  const fitting = checked.flatMap((candidate, index) => (fits(candidate) ? [index] : []));
  return fitting.length === 1 ? (fitting[0] as number) : null;
}

/** Paths as people count them: 2.avsc before 10.avsc, folder by folder. */
export function compareNaturally(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const order = comparePart(left[at] as string, right[at] as string);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function comparePart(a: string, b: string): number {
  const [left, right] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [x, y] = [left[at] as string, right[at] as string];
    const isNumber = /^\d/.test(x) && /^\d/.test(y);
    const order = isNumber ? Math.sign(Number(x) - Number(y)) || x.length - y.length : x < y ? -1 : x > y ? 1 : 0;
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

function withoutExtension(path: string): string {
  return path.replace(/\.(avsc|json)$/i, '');
}

function stemOf(path: string): string {
  return withoutExtension(path.slice(path.lastIndexOf('/') + 1));
}

/** order.v2, order-2 and order_v2 are versions of order. */
function withoutVersion(stem: string): string {
  return stem.replace(/[._@-]?(?:[._@-](?:v|version)?[._-]?\d[\d.]*|(?:v|version)[._-]?\d[\d.]*)$/i, '');
}

function isVersionName(stem: string): boolean {
  return /\d/.test(stem) && /^(?:[a-z]{0,8}[._-]?)?[\d.]+$/i.test(stem);
}

/** Kebab, snake and camel case of one name are the same name. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9.]/g, '');
}

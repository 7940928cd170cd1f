import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { GuidedError } from '../config/guided-error.js';
import { compareNaturally } from '../schema-gate/match-versions.js';
import type { EarlierFile } from './earlier-file.js';

/** A folder of schemas that cannot be read, or has none. */
export class SchemaFolderError extends GuidedError {
  override name = 'SchemaFolderError';
}

export interface SchemaFile {
  /** Inside the folder, with /. */
  readonly path: string;
  /** As a person would name it: beginning with the folder as it was given. */
  readonly name: string;
  readonly text: string;
}

/** All files of the folder and of folders in it that end as given, by name; of a file's path only that file. */
export function readSchemaFolder(folder: string, endings: readonly string[] = ['.avsc'], leftOut: string | null = null): readonly SchemaFile[] {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) throw new SchemaFolderError(`there is no folder ${folder}`, 'name the folder that holds the .avsc files');
  if (stat.isFile()) return [{ path: basename(folder), name: folder, text: readFileSync(folder, 'utf8') }];
  const skipped = leftOut === null ? null : resolve(leftOut);
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !isInside(path, skipped))
    .map((path) => relative(folder, path).split(sep).join('/'))
    .filter((path) => !path.split('/').some((part) => part.startsWith('.') || part === 'node_modules'));
  return paths.sort(compareNaturally).map((path) => ({ path, name: join(folder, path), text: readFileSync(join(folder, path), 'utf8') }));
}

function isInside(path: string, folder: string | null): boolean {
  return folder !== null && resolve(path).startsWith(`${folder}${sep}`);
}

/** Earlier versions kept as files, oldest first by name; folders of versions are named after the schema. */
export function readVersionFolder(folder: string): readonly EarlierFile[] {
  const schemas = readSchemaFolder(folder);
  // Only where nothing is called a schema may plain JSON be meant.
  const files = schemas.length > 0 ? schemas : readSchemaFolder(folder, ['.json']);
  if (files.length === 0) throw new SchemaFolderError(`${folder} holds no .avsc file`, 'name the folder with the earlier versions: a file for each schema, or a folder of files');
  return files.map(({ path, name, text }) => ({ path, text, file: name, label: name, isLatest: true }));
}

/** The folder itself, or the one that holds the file. */
export function folderOf(path: string): string {
  return isFile(path) ? dirname(path) : path;
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

import { readFileSync, statSync } from 'node:fs';
import { GuidedError } from '../../config/guided-error.js';
import { isAccountName } from '../frame-parser.js';

/** The key of one account. Its text must appear nowhere: not in a log, an error, a record. */
export interface Credentials {
  /** Name of the account in the records; null: the uid that the exchange gives for the key. */
  readonly account: string | null;
  readonly key: string;
  readonly secret: string;
}

/** Bits of a file's mode by which its group or anybody else could read it. */
const OTHERS_MAY_READ = 0o044;
const PRINTABLE = /^[\x21-\x7e]{1,4096}$/;

const WHERE = 'set BYBIT_API_KEY and BYBIT_API_SECRET, or name a file with --key-file that only you can read (chmod 600), with the same two lines, or with JSON: [{"account": "name", "key": "…", "secret": "…"}, …]';

/** Keys from a file if one is named, else from the environment. Throws a GuidedError that holds nothing secret. */
export function readCredentials(keyFile: string | null, env: Readonly<Record<string, string | undefined>>): readonly Credentials[] {
  const found = keyFile === null ? fromEnvironment(env) : fromFile(keyFile);
  const names = new Set<string>();
  for (const { account, key, secret } of found) {
    if (!PRINTABLE.test(key) || !PRINTABLE.test(secret.replaceAll('\n', ''))) throw new GuidedError('a key or secret holds spaces or signs that no key has', WHERE);
    if (account !== null && !isAccountName(account)) throw new GuidedError('an account of the key file has no usable name: at most 64 characters, without spaces and |', WHERE);
    if (account !== null && names.has(account)) throw new GuidedError(`account ${account} is in the key file twice`, WHERE);
    if (account !== null) names.add(account);
  }
  if (new Set(found.map(({ key }) => key)).size < found.length) throw new GuidedError('the key file holds one key twice', WHERE);
  return found;
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): readonly Credentials[] {
  const key = env['BYBIT_API_KEY'] ?? '';
  const secret = env['BYBIT_API_SECRET'] ?? '';
  if (key === '' || secret === '') throw new GuidedError('there is no key for the exchange', WHERE);
  return [{ account: null, key, secret }];
}

function fromFile(path: string): readonly Credentials[] {
  let text: string;
  try {
    const { mode, uid } = statSync(path);
    if ((mode & OTHERS_MAY_READ) !== 0) throw new GuidedError(`others than its owner can read ${path}`, `chmod 600 ${path}; if others may have read it, make a new key`);
    const ownUid = process.getuid?.();
    if (ownUid !== undefined && ownUid !== 0 && uid !== ownUid) throw new GuidedError(`${path} belongs to somebody else`, 'name a file of your own');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof GuidedError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new GuidedError(`cannot read the key file ${path} (${code})`, WHERE);
  }
  const found = text.trimStart().startsWith('[') || text.trimStart().startsWith('{') ? fromJson(text, path) : fromLines(text);
  if (found.length === 0) throw new GuidedError(`the key file ${path} holds no key`, WHERE);
  return found;
}

function fromJson(text: string, path: string): readonly Credentials[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message would quote the file.
    throw new GuidedError(`the key file ${path} is not JSON`, WHERE);
  }
  return (Array.isArray(parsed) ? parsed : [parsed]).map((entry: unknown): Credentials => {
    const { account, key, secret } = (entry ?? {}) as Record<string, unknown>;
    if (typeof key !== 'string' || typeof secret !== 'string' || (account !== undefined && account !== null && typeof account !== 'string')) throw new GuidedError(`an entry of the key file ${path} lacks key or secret`, WHERE);
    return { account: account ?? null, key, secret };
  });
}

function fromLines(text: string): readonly Credentials[] {
  const values: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*(?:export\s+)?(BYBIT_API_KEY|BYBIT_API_SECRET)\s*=\s*["']?([^"'\s]+)["']?\s*$/.exec(line);
    if (match !== null) values[match[1] as string] = match[2] as string;
  }
  return fromEnvironment(values);
}

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { JudgeOptions } from '../truth/judge.js';
import type { Truth } from '../truth/truth.js';

/** One recorded session of this folder. */
export interface Capture {
  name: string;
  /** Lines without their ends. */
  lines: string[];
  truth: Truth;
  /** At what grain its fills can be known. */
  grain: NonNullable<JudgeOptions['grain']>;
}

/** In these, executions are lost and the totals of order messages make up for them. */
const BY_ORDER_MESSAGE = new Set(['lost-executions', 'orders-only']);

export function captureNames(): string[] {
  return readdirSync(new URL('.', import.meta.url), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
}

/** Path of the compressed frames file, for what reads files. */
export function captureFile(name: string): URL {
  return new URL(`${name}/frames.jsonl.gz`, import.meta.url);
}

export function readTruth(name: string): Truth {
  return JSON.parse(gunzipSync(readFileSync(new URL(`${name}/truth.json.gz`, import.meta.url))).toString()) as Truth;
}

export function readCapture(name: string): Capture {
  const lines = gunzipSync(readFileSync(captureFile(name))).toString().split('\n').filter((line) => line !== '');
  return { name, lines, truth: readTruth(name), grain: BY_ORDER_MESSAGE.has(name) ? 'order-message' : 'fill' };
}

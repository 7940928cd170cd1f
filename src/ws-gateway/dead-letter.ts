import type { Rejection } from './frame-parser.js';

const MESSAGE_CHARS = 1_000;

/** Headers of the dead letter of one line, which says all that is wrong with it. */
export function rejectionHeaders(rejections: readonly Rejection[], account: string | null, lineNumber: number | null): [string, string][] {
  const message = rejections.map((each) => (each.frameIndex === null ? each.message : `row ${each.frameIndex}: ${each.message}`)).join('; ');
  const headers: [string, string][] = [
    ['__streams.errors.exception', rejections[0]?.reason ?? 'BadFrame'],
    ['__streams.errors.message', message.length > MESSAGE_CHARS ? `${message.slice(0, MESSAGE_CHARS)}...` : message],
    ['__streams.errors.stage', 'ws-gateway'],
  ];
  if (lineNumber !== null) headers.push(['ws-gateway.line', String(lineNumber)]);
  if (account !== null) headers.push(['ws-gateway.account', account]);
  return headers;
}

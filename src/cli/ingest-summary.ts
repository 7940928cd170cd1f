import { DEAD_LETTER_TOPIC, SOURCE_TOPICS, type GatewayCounts } from '../ws-gateway/gateway.js';

export interface IngestSummary {
  readonly capture: string;
  readonly counts: GatewayCounts;
  readonly continues: boolean;
  readonly interrupted: boolean;
  /** From the first byte read to the last record acknowledged. */
  readonly seconds: number;
}

export function isoTime(timeMs: number | null): string {
  return timeMs === null ? '-' : new Date(timeMs).toISOString();
}

function recordCount(counts: GatewayCounts): number {
  return SOURCE_TOPICS.reduce((sum, topic) => sum + counts.records[topic], 0);
}

function perSecond(count: number, seconds: number): number {
  return Math.round(count / Math.max(seconds, 0.001));
}

/** Lines for a person. */
export function ingestText({ counts, continues, interrupted, seconds }: IngestSummary): string {
  const records = SOURCE_TOPICS.map((topic) => `${counts.records[topic]} ${topic}`).join(', ');
  const lines = [
    `${counts.frames} frames from ${isoTime(counts.firstReceivedMs)} to ${isoTime(counts.lastReceivedMs)}`,
    `${recordCount(counts)} records (${records}) and ${counts.watermarks} watermarks in ${seconds.toFixed(2)} s, ${perSecond(recordCount(counts), seconds)} records/s`,
  ];
  if (counts.deadLetters > 0) {
    const reasons = [...counts.rejected].map(([reason, count]) => `${reason} ${count}`).join(', ');
    lines.push(`${counts.deadLetters} lines went to ${DEAD_LETTER_TOPIC}: ${reasons}`);
  }
  if (interrupted) lines.push('interrupted: the rest of the file is missing, and no closing watermark was written; ingest it again, repeated records are harmless');
  else if (continues) lines.push('no closing watermark: more of the session is to follow');
  return `${lines.join('\n')}\n`;
}

export function ingestJson(summary: IngestSummary): string {
  const { counts, seconds } = summary;
  return `${JSON.stringify({
    capture: summary.capture,
    frames: counts.frames,
    records: counts.records,
    watermarks: counts.watermarks,
    deadLetters: counts.deadLetters,
    rejected: Object.fromEntries(counts.rejected),
    firstReceivedAt: counts.firstReceivedMs,
    lastReceivedAt: counts.lastReceivedMs,
    continues: summary.continues,
    interrupted: summary.interrupted,
    seconds,
    recordsPerSecond: perSecond(recordCount(counts), seconds),
  })}\n`;
}

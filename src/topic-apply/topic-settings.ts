/*
 * Settings that Kafka knows on a topic, and what their values look like: a slip of the pen is found in the file, with its
 * line, and not by a broker half-way through.
 */

type Check = (value: string) => string | null;

const whole = (min: number): Check => (value) => (/^-?\d{1,19}$/.test(value) && Number(value) >= min ? null : `a whole number of at least ${min}`);
const ratio: Check = (value) => (/^\d(\.\d+)?$/.test(value) && Number(value) <= 1 ? null : 'a number from 0 to 1');
const flag: Check = (value) => (value === 'true' || value === 'false' ? null : 'true or false');
const text: Check = () => null;
const oneOf = (...choices: readonly string[]): Check => (value) => (choices.includes(value) ? null : `one of ${choices.join(', ')}`);
const policies: Check = (value) => (value.split(',').every((one) => one === 'delete' || one === 'compact') ? null : 'delete, compact, or both with a comma');

const SETTINGS: Readonly<Record<string, Check>> = {
  'cleanup.policy': policies,
  'compression.type': oneOf('producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'),
  'compression.gzip.level': whole(-1),
  'compression.lz4.level': whole(1),
  'compression.zstd.level': whole(-131_072),
  'delete.retention.ms': whole(0),
  'file.delete.delay.ms': whole(0),
  'flush.messages': whole(1),
  'flush.ms': whole(0),
  'follower.replication.throttled.replicas': text,
  'index.interval.bytes': whole(0),
  'leader.replication.throttled.replicas': text,
  'local.retention.bytes': whole(-2),
  'local.retention.ms': whole(-2),
  'max.compaction.lag.ms': whole(1),
  'max.message.bytes': whole(0),
  'message.downconversion.enable': flag,
  'message.timestamp.after.max.ms': whole(0),
  'message.timestamp.before.max.ms': whole(0),
  'message.timestamp.difference.max.ms': whole(0),
  'message.timestamp.type': oneOf('CreateTime', 'LogAppendTime'),
  'min.cleanable.dirty.ratio': ratio,
  'min.compaction.lag.ms': whole(0),
  'min.insync.replicas': whole(1),
  preallocate: flag,
  'remote.log.copy.disable': flag,
  'remote.log.delete.on.disable': flag,
  'remote.storage.enable': flag,
  'retention.bytes': whole(-1),
  'retention.ms': whole(-1),
  'segment.bytes': whole(14),
  'segment.index.bytes': whole(4),
  'segment.jitter.ms': whole(0),
  'segment.ms': whole(1),
  'unclean.leader.election.enable': flag,
};

/** What is wrong with a setting, to be put behind its name; null if nothing is. */
export function settingProblem(name: string, value: string): string | null {
  const check = SETTINGS[name];
  if (check === undefined) {
    const alike = Object.keys(SETTINGS).filter((known) => known.split('.')[0] === name.split('.')[0]);
    return `is no setting of a Kafka topic${alike.length === 0 ? '' : `; there is ${alike.join(', ')}`}`;
  }
  const wanted = check(value);
  return wanted === null ? null : `must be ${wanted}`;
}

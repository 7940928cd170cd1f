import { DEFAULT_SIGNAL_PATTERN } from '../domain/signal.js';
import { RULE_GROUPS, type RuleGroup } from '../schema-gate/finding.js';
import { COMPATIBILITY_LEVELS, DEFAULT_LEVEL, type CompatibilityLevel } from '../schema-gate/levels.js';
import { REPORT_FORMATS, type ReportFormat } from '../schema-gate/report.js';
import { addresses, boolean, integer, matching, nonEmpty, oneOf, OptionValueError, url, urls, type OptionSpec } from './option.js';

export type Policy = 'pro-rata' | 'fifo';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
/** Recorded pace times this number; max is as fast as it goes. */
export type Speed = number | 'max';
/** Where a range of the source topics begins or ends. */
export type RangeBoundOption = { readonly kind: 'earliest' } | { readonly kind: 'offset'; readonly offset: number } | { readonly kind: 'time'; readonly ms: number };
export type TableFormat = 'csv' | 'ndjson';
export type Network = 'mainnet' | 'testnet' | 'demo';
export type Category = 'linear' | 'inverse' | 'spot' | 'option';
export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

const STACK_HINT = 'start a local stack with `position-linker stack up`, then `eval "$(position-linker stack env)"`; or give your own address';

function option<T>(spec: OptionSpec<T>): OptionSpec<T> {
  return spec;
}

/** Every option of every command. A command names those it takes. */
export const OPTIONS = {
  namespace: option<string | null>({
    flag: '--namespace',
    env: 'POSITION_LINKER_NAMESPACE',
    placeholder: 'NAME',
    unit: null,
    fallback: null,
    help: 'Prefixes topics, subjects, groups and transactional ids, and names the database schema, so that many pipelines share one stack. Letters, digits and _, at most 40',
    // The database keeps pg_ to itself; public is where the pipeline without a namespace lives.
    parse: (text) =>
      text === '' ? null : matching(/^(?!pg_|public$|information_schema$)[A-Za-z0-9_]{1,40}$/, 'made of letters, digits and _, at most 40, nor begins with pg_, nor is public or information_schema')(text),
  }),
  brokers: option<readonly string[]>({
    flag: '--brokers',
    env: 'KAFKA_BROKERS',
    placeholder: 'HOST:PORT,…',
    unit: null,
    fallback: undefined,
    help: 'Kafka brokers to begin with',
    nextStep: STACK_HINT,
    parse: addresses,
  }),
  saslMechanism: option<SaslMechanism | null>({
    flag: '--sasl-mechanism',
    env: 'KAFKA_SASL_MECHANISM',
    placeholder: 'NAME',
    unit: null,
    fallback: null,
    help: 'How the brokers are told who this is: plain, scram-sha-256 or scram-sha-512; nobody asks without it',
    parse: (text) => oneOf('plain', 'scram-sha-256', 'scram-sha-512')(text.toLowerCase()),
  }),
  saslUsername: option<string | null>({
    flag: '--sasl-username',
    env: 'KAFKA_SASL_USERNAME',
    placeholder: 'NAME',
    unit: null,
    fallback: null,
    help: 'User of the brokers',
    parse: nonEmpty,
  }),
  saslPassword: option<string | null>({
    flag: '--sasl-password',
    env: 'KAFKA_SASL_PASSWORD',
    placeholder: 'TEXT',
    unit: null,
    fallback: null,
    help: 'Password of that user; better in the environment, since others of this machine can read command lines',
    parse: nonEmpty,
  }),
  tls: option<boolean>({
    flag: '--tls',
    env: 'KAFKA_TLS',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Encrypted connections to the brokers; a --tls-… file says so too',
    parse: boolean,
  }),
  tlsCa: option<string | null>({
    flag: '--tls-ca',
    env: 'KAFKA_TLS_CA',
    placeholder: 'FILE',
    unit: null,
    fallback: null,
    help: 'Authority that signed the brokers\' certificates, PEM; without it those the system trusts',
    parse: nonEmpty,
  }),
  tlsCert: option<string | null>({
    flag: '--tls-cert',
    env: 'KAFKA_TLS_CERT',
    placeholder: 'FILE',
    unit: null,
    fallback: null,
    help: 'Own certificate, PEM, where the brokers ask for one',
    parse: nonEmpty,
  }),
  tlsKey: option<string | null>({
    flag: '--tls-key',
    env: 'KAFKA_TLS_KEY',
    placeholder: 'FILE',
    unit: null,
    fallback: null,
    help: 'Key of that certificate, PEM',
    parse: nonEmpty,
  }),
  registryUrl: option<string>({
    flag: '--registry-url',
    env: 'SCHEMA_REGISTRY_URL',
    placeholder: 'URL,…',
    unit: null,
    fallback: undefined,
    help: "Schema registry that speaks Confluent's API; may hold a path, and user:password; several are tried in turn",
    nextStep: STACK_HINT,
    parse: urls('http:', 'https:'),
  }),
  databaseUrl: option<string>({
    flag: '--database-url',
    env: 'DATABASE_URL',
    placeholder: 'URL',
    unit: null,
    fallback: undefined,
    help: 'PostgreSQL database',
    nextStep: STACK_HINT,
    parse: url('postgres:', 'postgresql:'),
  }),
  environment: option<string | null>({
    flag: '--environment',
    env: 'POSITION_LINKER_ENVIRONMENT',
    placeholder: 'NAME',
    unit: null,
    fallback: null,
    help: 'Environment of topics.yaml whose overrides apply',
    parse: nonEmpty,
  }),
  partitions: option<number | null>({
    flag: '--partitions',
    env: 'POSITION_LINKER_PARTITIONS',
    placeholder: 'N',
    unit: 'partitions',
    fallback: null,
    help: 'Partitions of every topic, instead of what topics.yaml says; cannot be changed later',
    parse: integer(1, 10_000),
  }),
  file: option<string | null>({
    flag: '--file',
    env: 'POSITION_LINKER_TOPICS_FILE',
    placeholder: 'FILE',
    unit: null,
    fallback: null,
    help: 'Topics file, instead of the own topics.yaml',
    parse: nonEmpty,
  }),
  plan: option<string | null>({
    flag: '--plan',
    env: 'POSITION_LINKER_PLAN',
    placeholder: 'FILE',
    unit: null,
    fallback: null,
    help: 'Saved plan to be carried out as it stands',
    parse: nonEmpty,
  }),
  allowRetentionCut: option<boolean>({
    flag: '--allow-retention-cut',
    env: 'POSITION_LINKER_ALLOW_RETENTION_CUT',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Records may go: retention may be shortened, and a rebuild then begins where it ends',
    parse: boolean,
  }),
  principalPrefix: option<string | null>({
    flag: '--principal-prefix',
    env: 'POSITION_LINKER_PRINCIPAL_PREFIX',
    placeholder: 'TEXT',
    unit: null,
    fallback: null,
    help: 'Put before the name of a role to make the name of its user at the brokers',
    parse: matching(/^[A-Za-z0-9._@-]{0,100}$/, 'made of letters, digits, ".", "_", "@" and "-", at most 100'),
  }),
  policy: option<Policy>({
    flag: '--policy',
    env: 'POSITION_LINKER_POLICY',
    placeholder: 'pro-rata|fifo',
    unit: null,
    fallback: 'pro-rata',
    help: 'How closing quantity is taken from the lots of several signals',
    parse: oneOf('pro-rata', 'fifo'),
  }),
  joinWindowMs: option<number>({
    flag: '--join-window-ms',
    env: 'POSITION_LINKER_JOIN_WINDOW_MS',
    placeholder: 'MS',
    unit: 'milliseconds',
    fallback: 5_000,
    help: 'How far the merged watermark must pass an event before what belongs to it counts as missing',
    parse: integer(0, 3_600_000),
  }),
  skewAllowanceMs: option<number>({
    flag: '--skew-allowance-ms',
    env: 'POSITION_LINKER_SKEW_ALLOWANCE_MS',
    placeholder: 'MS',
    unit: 'milliseconds',
    fallback: 500,
    help: 'How far watermarks stay behind receive time',
    parse: integer(0, 600_000),
  }),
  horizonMs: option<number>({
    flag: '--horizon-ms',
    env: 'POSITION_LINKER_HORIZON_MS',
    placeholder: 'MS',
    unit: 'milliseconds',
    fallback: 86_400_000,
    help: 'Correction horizon: how late evidence may come, in event time',
    parse: integer(0),
  }),
  horizonEvents: option<number>({
    flag: '--horizon-events',
    env: 'POSITION_LINKER_HORIZON_EVENTS',
    placeholder: 'N',
    unit: 'events of a book',
    fallback: 5_000,
    help: "Correction horizon: how many of a book's newest events are kept; the shorter of both horizons counts",
    parse: integer(1),
  }),
  signalPattern: option<string>({
    flag: '--signal-pattern',
    env: 'POSITION_LINKER_SIGNAL_PATTERN',
    placeholder: 'REGEXP',
    unit: null,
    fallback: DEFAULT_SIGNAL_PATTERN,
    help: 'Regular expression over the client order id whose first group is the signal id',
    parse: signalPattern,
  }),
  commitIntervalMs: option<number>({
    flag: '--commit-interval-ms',
    env: 'POSITION_LINKER_COMMIT_INTERVAL_MS',
    placeholder: 'MS',
    unit: 'milliseconds',
    fallback: 100,
    help: 'How often a task commits outputs, state and offsets in one transaction; up to five times as long, at most 1 s, while it has a backlog',
    parse: integer(1, 60_000),
  }),
  sessionTimeoutMs: option<number>({
    flag: '--session-timeout-ms',
    env: 'POSITION_LINKER_SESSION_TIMEOUT_MS',
    placeholder: 'MS',
    unit: 'milliseconds',
    fallback: 30_000,
    help: 'After how long a silent group member loses its tasks',
    parse: integer(1_000, 1_800_000),
  }),
  logLevel: option<LogLevel>({
    flag: '--log-level',
    env: 'POSITION_LINKER_LOG_LEVEL',
    placeholder: 'LEVEL',
    unit: null,
    fallback: 'info',
    help: 'debug, info, warn, error or silent; logs are JSON lines on standard error',
    parse: oneOf('debug', 'info', 'warn', 'error', 'silent'),
  }),
  json: option<boolean>({
    flag: '--json',
    env: 'POSITION_LINKER_JSON',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'JSON on standard output instead of text',
    parse: boolean,
  }),
  capture: option<string>({
    flag: '--capture',
    env: 'POSITION_LINKER_CAPTURE',
    placeholder: 'FILE|-',
    unit: null,
    fallback: undefined,
    help: 'Recorded session, one frame a line, plain or .gz; - is standard input',
    nextStep: 'give the recorded session with `--capture FILE`',
    parse: nonEmpty,
  }),
  speed: option<Speed>({
    flag: '--speed',
    env: 'POSITION_LINKER_SPEED',
    placeholder: 'max|N',
    unit: 'times recorded pace',
    fallback: 'max',
    help: 'Pace: max, 1 for recorded pace, or N times that',
    parse: speed,
  }),
  account: option<string | null>({
    flag: '--account',
    env: 'POSITION_LINKER_ACCOUNT',
    placeholder: 'NAME',
    unit: null,
    fallback: null,
    help: 'Account of the session, instead of what the file says',
    parse: nonEmpty,
  }),
  continues: option<boolean>({
    flag: '--continues',
    env: 'POSITION_LINKER_CONTINUES',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'More of the session follows: no closing watermark',
    parse: boolean,
  }),
  processes: option<number>({
    flag: '--processes',
    env: 'POSITION_LINKER_PROCESSES',
    placeholder: 'N',
    unit: null,
    fallback: 1,
    help: 'Processes that share the work, each an instance of every named role',
    parse: integer(1, 64),
  }),
  drain: option<boolean>({
    flag: '--drain',
    env: 'POSITION_LINKER_DRAIN',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Exit once everything that was in the source topics at the start, and all that follows from it, is in the tables',
    parse: boolean,
  }),
  out: option<string | null>({
    flag: '--out',
    env: 'POSITION_LINKER_OUT',
    placeholder: 'PATH',
    unit: null,
    fallback: null,
    help: 'Where to write: a folder for one file a table, or the file of a plan, of an export or of a capture',
    parse: nonEmpty,
  }),
  format: option<TableFormat>({
    flag: '--format',
    env: 'POSITION_LINKER_FORMAT',
    placeholder: 'csv|ndjson',
    unit: null,
    fallback: 'csv',
    help: 'Format of the files',
    parse: oneOf('csv', 'ndjson'),
  }),
  reportFormat: option<ReportFormat | null>({
    flag: '--format',
    env: 'POSITION_LINKER_REPORT_FORMAT',
    placeholder: REPORT_FORMATS.join('|'),
    unit: null,
    fallback: null,
    help: 'Form of the report; text if neither this nor --json is given',
    parse: oneOf(...REPORT_FORMATS),
  }),
  against: option<string | null>({
    flag: '--against',
    env: 'POSITION_LINKER_AGAINST',
    placeholder: 'git:REF|registry:URL|dir:PATH',
    unit: null,
    fallback: null,
    help: 'Where earlier versions are: a git branch with its history, a schema registry (registry: alone is the one of SCHEMA_REGISTRY_URL), or a folder with a file or a folder of files for each schema',
    parse: matching(/^(git:.+|dir:.+|registry(:.*)?)$/s, 'git:REF, registry:URL or dir:PATH'),
  }),
  level: option<CompatibilityLevel | null>({
    flag: '--level',
    env: 'POSITION_LINKER_COMPATIBILITY_LEVEL',
    placeholder: 'LEVEL',
    unit: null,
    fallback: null,
    help: `Compatibility level of every record, instead of those of gate.yaml (without one ${DEFAULT_LEVEL}): ${COMPATIBILITY_LEVELS.join(', ')}`,
    parse: (text) => oneOf(...COMPATIBILITY_LEVELS)(text.toUpperCase()),
  }),
  rules: option<readonly RuleGroup[]>({
    flag: '--rules',
    env: 'POSITION_LINKER_SCHEMA_RULES',
    placeholder: 'GROUP,…',
    unit: null,
    fallback: RULE_GROUPS,
    help: `Groups of rules: ${RULE_GROUPS.join(', ')}`,
    parse: (text) => [...new Set(text.split(',').map((word) => oneOf(...RULE_GROUPS)(word.trim())))],
  }),
  allowLooserLevel: option<boolean>({
    flag: '--allow-looser-level',
    env: 'POSITION_LINKER_ALLOW_LOOSER_LEVEL',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Set a subject to its declared level even where the registry has a stricter one',
    parse: boolean,
  }),
  check: option<boolean>({
    flag: '--check',
    env: 'POSITION_LINKER_CHECK',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Write nothing; exit code 3 if the file is not current',
    parse: boolean,
  }),
  asset: option<string | null>({
    flag: '--asset',
    env: 'POSITION_LINKER_ASSET',
    placeholder: 'SYMBOL',
    unit: null,
    fallback: null,
    help: 'Only this asset',
    parse: nonEmpty,
  }),
  topic: option<string | null>({
    flag: '--topic',
    env: 'POSITION_LINKER_TOPIC',
    placeholder: 'TOPIC',
    unit: null,
    fallback: null,
    help: 'Only this topic, by its name without the namespace',
    parse: nonEmpty,
  }),
  key: option<string | null>({
    flag: '--key',
    env: 'POSITION_LINKER_KEY',
    placeholder: 'KEY',
    unit: null,
    fallback: null,
    help: 'Only records with this key, all of it',
    parse: nonEmpty,
  }),
  stage: option<string | null>({
    flag: '--stage',
    env: 'POSITION_LINKER_STAGE',
    placeholder: 'STAGE',
    unit: null,
    fallback: null,
    help: 'Only records that failed there: decode, process, sink or ws-gateway',
    parse: oneOf('decode', 'process', 'sink', 'ws-gateway'),
  }),
  exception: option<string | null>({
    flag: '--exception',
    env: 'POSITION_LINKER_EXCEPTION',
    placeholder: 'NAME',
    unit: null,
    fallback: null,
    help: 'Only records that failed with this exception; the beginning of its name will do',
    parse: nonEmpty,
  }),
  signal: option<string | null>({
    flag: '--signal',
    env: 'POSITION_LINKER_SIGNAL',
    placeholder: 'ID',
    unit: null,
    fallback: null,
    help: 'Only this signal; unattributed is the bucket of orders without one',
    parse: nonEmpty,
  }),
  limit: option<number>({
    flag: '--limit',
    env: 'POSITION_LINKER_LIMIT',
    placeholder: 'N',
    unit: 'rows',
    fallback: 100,
    help: 'At most this many rows, the newest',
    parse: integer(1, 1_000_000_000),
  }),
  dryRun: option<boolean>({
    flag: '--dry-run',
    env: 'POSITION_LINKER_DRY_RUN',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Show the plan and change nothing',
    parse: boolean,
  }),
  swap: option<boolean>({
    flag: '--swap',
    env: 'POSITION_LINKER_SWAP',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Put the rebuilt tables in the place of the live ones, in one transaction, if they differ',
    parse: boolean,
  }),
  atEnd: option<boolean>({
    flag: '--at-end',
    env: 'POSITION_LINKER_AT_END',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Compare at the end of the log, which the roles must have worked off: for rolling out rules that changed',
    parse: boolean,
  }),
  noHorizon: option<boolean>({
    flag: '--no-horizon',
    env: 'POSITION_LINKER_NO_HORIZON',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Take in what came later than the correction horizon, and tell what that changes',
    parse: boolean,
  }),
  withoutSignal: option<string | null>({
    flag: '--without-signal',
    env: 'POSITION_LINKER_WITHOUT_SIGNAL',
    placeholder: 'ID',
    unit: null,
    fallback: null,
    help: 'What if: as if the orders of this signal had never been',
    parse: nonEmpty,
  }),
  withoutExternal: option<boolean>({
    flag: '--without-external',
    env: 'POSITION_LINKER_WITHOUT_EXTERNAL',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'What if: as if nobody had traded but the signals',
    parse: boolean,
  }),
  until: option<number | null>({
    flag: '--until',
    env: 'POSITION_LINKER_UNTIL',
    placeholder: 'TIME',
    unit: 'ISO 8601, or milliseconds since the epoch',
    fallback: null,
    help: 'What if: as the log stood at this time',
    parse: time,
  }),
  from: option<RangeBoundOption | null>({
    flag: '--from',
    env: 'POSITION_LINKER_FROM',
    placeholder: 'earliest|OFFSET|TIME',
    unit: null,
    fallback: null,
    help: 'Begin at this offset of every source partition, or at this time, instead of at the first record',
    parse: rangeBound,
  }),
  to: option<RangeBoundOption | null>({
    flag: '--to',
    env: 'POSITION_LINKER_TO',
    placeholder: 'OFFSET|TIME',
    unit: null,
    fallback: null,
    help: 'End before this offset of every source partition, or before this time',
    parse: rangeBound,
  }),
  threads: option<number | null>({
    flag: '--threads',
    env: 'POSITION_LINKER_THREADS',
    placeholder: 'N',
    unit: 'threads',
    fallback: null,
    help: 'Partitions worked on at a time; without it as many as there are processors',
    parse: integer(1, 256),
  }),
  volumes: option<boolean>({
    flag: '--volumes',
    env: 'POSITION_LINKER_STACK_VOLUMES',
    placeholder: null,
    unit: null,
    fallback: false,
    help: "Remove the stack's data too; downloads are kept",
    parse: boolean,
  }),
  embedded: option<boolean>({
    flag: '--embedded',
    env: 'POSITION_LINKER_STACK_EMBEDDED',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Start the servers as processes even where a container engine runs',
    parse: boolean,
  }),
  apiKey: option<string | null>({
    flag: '--api-key',
    env: 'BYBIT_API_KEY',
    placeholder: 'TEXT',
    unit: null,
    fallback: null,
    help: 'Key of the exchange account, one that only reads; better in the environment or a key file, since others of this machine can read command lines',
    parse: nonEmpty,
  }),
  apiSecret: option<string | null>({
    flag: '--api-secret',
    env: 'BYBIT_API_SECRET',
    placeholder: 'TEXT',
    unit: null,
    fallback: null,
    help: 'Secret of that key; better in the environment or a key file',
    parse: nonEmpty,
  }),
  keyFile: option<string | null>({
    flag: '--key-file',
    env: 'BYBIT_KEY_FILE',
    placeholder: 'FILE',
    unit: null,
    fallback: null,
    help: 'Keys of one or more accounts, in a file that nobody else may read: JSON [{"account": "name", "key": "…", "secret": "…"}], or the lines BYBIT_API_KEY=… and BYBIT_API_SECRET=…',
    parse: nonEmpty,
  }),
  network: option<Network>({
    flag: '--network',
    env: 'BYBIT_NETWORK',
    placeholder: 'NAME',
    unit: null,
    fallback: 'mainnet',
    help: 'mainnet, testnet or demo; each has keys of its own',
    parse: oneOf('mainnet', 'testnet', 'demo'),
  }),
  wsUrl: option<string | null>({
    flag: '--ws-url',
    env: 'BYBIT_WS_URL',
    placeholder: 'URL',
    unit: null,
    fallback: null,
    help: "Address of the private stream, instead of the network's",
    parse: url('ws:', 'wss:'),
  }),
  restUrl: option<string | null>({
    flag: '--rest-url',
    env: 'BYBIT_REST_URL',
    placeholder: 'URL',
    unit: null,
    fallback: null,
    help: "Address of the REST API, instead of the network's",
    parse: url('http:', 'https:'),
  }),
  redundant: option<boolean>({
    flag: '--redundant',
    env: 'POSITION_LINKER_REDUNDANT',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'Two connections an account: what one misses, the other has',
    parse: boolean,
  }),
  categories: option<readonly Category[]>({
    flag: '--categories',
    env: 'POSITION_LINKER_CATEGORIES',
    placeholder: 'NAME,…',
    unit: null,
    fallback: ['linear', 'inverse'],
    help: 'Of these the history is fetched: linear, inverse, spot, option. What the stream shows of others is written all the same',
    parse: categories,
  }),
  lookbackMs: option<number>({
    flag: '--lookback-ms',
    env: 'POSITION_LINKER_LOOKBACK_MS',
    placeholder: 'MS',
    unit: 'milliseconds',
    fallback: 86_400_000,
    help: 'Of an account never connected before: how far back its history is fetched',
    parse: integer(0, 730 * 86_400_000),
  }),
  overlapMs: option<number>({
    flag: '--overlap-ms',
    env: 'POSITION_LINKER_OVERLAP_MS',
    placeholder: 'MS',
    unit: 'milliseconds',
    fallback: 60_000,
    help: 'How much before the last known time history is fetched',
    parse: integer(0, 86_400_000),
  }),
  settleMs: option<number>({
    flag: '--settle-ms',
    env: 'POSITION_LINKER_SETTLE_MS',
    placeholder: 'MS',
    unit: 'milliseconds',
    fallback: 2_000,
    help: 'How much later than the stream REST may show things before a gap counts as closed; what comes later still is written late',
    parse: integer(0, 60_000),
  }),
  sweepIntervalMs: option<number>({
    flag: '--sweep-interval-ms',
    env: 'POSITION_LINKER_SWEEP_INTERVAL_MS',
    placeholder: 'MS',
    unit: 'milliseconds',
    fallback: 300_000,
    help: 'How often REST is compared with what the stream showed, though no loss was noticed',
    parse: integer(500, 86_400_000),
  }),
  spoolDir: option<string>({
    flag: '--spool-dir',
    env: 'POSITION_LINKER_SPOOL_DIR',
    placeholder: 'DIR',
    unit: null,
    fallback: '.spool',
    help: 'Folder for what was received while the broker takes nothing; a subfolder for each namespace',
    parse: nonEmpty,
  }),
  spoolLimitMb: option<number>({
    flag: '--spool-limit-mb',
    env: 'POSITION_LINKER_SPOOL_LIMIT_MB',
    placeholder: 'N',
    unit: 'megabytes',
    fallback: 1_024,
    help: 'At most so much in that folder; then connections are closed, and the gap is fetched later',
    parse: integer(1, 1_000_000),
  }),
  rotateMb: option<number | null>({
    flag: '--rotate-mb',
    env: 'POSITION_LINKER_ROTATE_MB',
    placeholder: 'N',
    unit: 'megabytes',
    fallback: null,
    help: 'A new file after so much, before compression',
    parse: integer(1, 1_000_000),
  }),
  rotateHourly: option<boolean>({
    flag: '--rotate-hourly',
    env: 'POSITION_LINKER_ROTATE_HOURLY',
    placeholder: null,
    unit: null,
    fallback: false,
    help: 'A new file every full hour (UTC)',
    parse: boolean,
  }),
};

export type OptionName = keyof typeof OPTIONS;

/** Resolved values by option name. */
export type Options = { readonly [N in OptionName]: (typeof OPTIONS)[N] extends OptionSpec<infer T> ? T : never };

/** What every command that talks to the brokers takes: where they are, and who asks. */
export const BROKER_OPTIONS = ['brokers', 'saslMechanism', 'saslUsername', 'saslPassword', 'tls', 'tlsCa', 'tlsCert', 'tlsKey'] as const satisfies readonly OptionName[];
export type BrokerOptions = Pick<Options, (typeof BROKER_OPTIONS)[number]>;

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

function signalPattern(text: string): string {
  let groups: number;
  try {
    // Against the empty string the added alternative always matches, and the match counts the groups.
    groups = (new RegExp(`${text}|`).exec('')?.length ?? 1) - 1;
    new RegExp(text);
  } catch (error) {
    throw new OptionValueError(`not a regular expression: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (groups < 1) throw new OptionValueError('without a group that is the signal id');
  return text;
}

function categories(text: string): readonly Category[] {
  const one = oneOf('linear', 'inverse', 'spot', 'option');
  return [...new Set(text.split(',').map((part) => one(part.trim())))];
}

function speed(text: string): Speed {
  if (text === 'max') return 'max';
  const value = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (value <= 0) throw new OptionValueError('not max or a number above 0');
  return value;
}

/** Whole numbers below this are offsets where both are allowed; as times they would lie in 1973. */
const FIRST_TIME_MS = 100_000_000_000;

function time(text: string): number {
  const ms = /^\d{1,16}$/.test(text) ? Number(text) : /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isSafeInteger(ms)) throw new OptionValueError('not a time such as 2025-03-01T12:00:00Z, nor milliseconds since the epoch');
  return ms;
}

function rangeBound(text: string): RangeBoundOption {
  if (text === 'earliest') return { kind: 'earliest' };
  if (/^\d{1,16}$/.test(text) && Number(text) < FIRST_TIME_MS) return { kind: 'offset', offset: Number(text) };
  return { kind: 'time', ms: time(text) };
}

import { databaseSchema } from '../config/namespace.js';
import { BROKER_OPTIONS } from '../config/options.js';
import { GuidedError } from '../config/guided-error.js';
import { EXPLAINED_TOPICS, readAssetLog } from '../explain/asset-log.js';
import { assetsOfExecution } from '../explain/find-execution.js';
import { findSubjects, SUBJECT_KINDS } from '../explain/find-subjects.js';
import { storyOf, type Story, type Subject, type SubjectKind } from '../explain/story.js';
import { partitionOf } from '../kafka/partitioner.js';
import { openDatabase } from '../postgres/database.js';
import { requireMigrated } from '../postgres/migrate.js';
import { readPipelineSettings } from '../postgres/pipeline-settings.js';
import { defineCommand, UsageError, type Command } from './command.js';
import { exactJson } from './exact-json.js';
import { explainText } from './explain-text.js';
import { openPipeline } from './open-pipeline.js';

/** Choices that a message names. */
const NAMED_CHOICES = 10;

/** `explain`: the evidence chain of an order, an execution, a position, a signal or an asset. */
export const explainCommands: readonly Command[] = [
  defineCommand({
    path: ['explain'],
    summary: 'explain an order, execution, position, signal or asset: the evidence, the numbers, the history',
    details:
      'explain order ID, explain exec ID, explain position ID, explain signal ID, explain asset SYMBOL; or explain ID alone, where only one thing has that id. The first ' +
      'characters of an id are enough where no other begins with them. Tells which source records (topic/partition@offset) each link rests on, the size and the money equation ' +
      'that decide it, each check with its numbers, the lots it took, and every revision with its reason; --json has all of it, exact.',
    positionals: [{ name: 'WHAT', help: `[${SUBJECT_KINDS.join('|')}] ID; the signal unattributed is the bucket of orders without one`, count: 'some' }],
    options: ['json', 'asset', 'namespace', ...BROKER_OPTIONS, 'registryUrl', 'databaseUrl'],
    async run({ positionals, options, stdout }) {
      const { kind, id } = wanted(positionals);
      const { namespace, databaseUrl, json, asset } = options;
      const schema = databaseSchema(namespace);
      const database = openDatabase({ databaseUrl, schema, applicationName: 'position-linker explain' });
      try {
        await requireMigrated(database, schema);
        const policy = (await readPipelineSettings(database))['policy'] === 'fifo' ? 'fifo' : 'pro-rata';
        let subjects = await findSubjects(database, kind, id);
        const pipeline = await openPipeline(options, EXPLAINED_TOPICS);
        const source = { ...pipeline, namespace };
        try {
          // An execution that led to no link, such as funding or one of another category, is in the topics alone.
          if (subjects.length === 0 && (kind === null || kind === 'exec')) subjects = await assetsOfExecution(source, pipeline.partitions, id);
          if (asset !== null) subjects = subjects.filter((subject) => subject.asset === asset);
          const stories: Story[] = [];
          for (const subject of oneOf(subjects, kind, id)) {
            stories.push(storyOf(await readAssetLog(source, subject.asset, partitionOf(subject.asset, pipeline.partitions)), subject, policy));
          }
          stdout(json ? `${exactJson({ kind: stories[0]?.subject.kind, id: stories[0]?.subject.id, stories }, 2)}\n` : explainText(stories));
          return 0;
        } finally {
          await pipeline.close();
        }
      } finally {
        await database.close();
      }
    },
  }),
];

function wanted(words: readonly string[]): { kind: SubjectKind | null; id: string } {
  const [first, second, ...rest] = words as readonly [string, string | undefined, ...string[]];
  const kind = SUBJECT_KINDS.find((name) => name === first) ?? null;
  if (rest.length > 0) throw new UsageError(`explain takes one id, not ${words.length - 1}`);
  if (second === undefined) {
    if (kind !== null) throw new UsageError(`explain ${kind} needs an ID`);
    return { kind: null, id: first };
  }
  if (kind === null) throw new UsageError(`explain ${first}: there is ${SUBJECT_KINDS.join(', ')}`);
  return { kind, id: second };
}

/** The one thing that was named, in each asset it is known in. Throws GuidedError where it is none or several. */
function oneOf(subjects: readonly Subject[], kind: SubjectKind | null, id: string): readonly Subject[] {
  const names = [...new Set(subjects.map((subject) => `${subject.kind} ${subject.id ?? 'unattributed'}`))];
  if (names.length === 1) return subjects;
  if (names.length === 0) throw new GuidedError(`there is no ${kind ?? 'order, execution, position, signal or asset'} ${id}`, '`position-linker show links --json` and `show orders --json` have whole ids; is the namespace right?');
  const more = names.length > NAMED_CHOICES ? `, and ${names.length - NAMED_CHOICES} more` : '';
  throw new GuidedError(`${id} may be ${names.slice(0, NAMED_CHOICES).join(', or ')}${more}`, 'say which: `position-linker explain order ID`, with the whole id');
}

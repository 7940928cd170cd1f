import type { CommandGroup } from './run-command-line.js';

/** In the order in which help lists them. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  { words: ['stack'], load: async () => (await import('./stack.js')).stackCommands },
  { words: ['topics'], load: async () => (await import('./topics.js')).topicCommands },
  { words: ['acls'], load: async () => (await import('./acls.js')).aclCommands },
  { words: ['schemas'], load: async () => (await import('./schemas.js')).schemaCommands },
  { words: ['setup', 'db'], load: async () => (await import('./setup.js')).setupCommands },
  { words: ['ingest'], load: async () => (await import('./ingest.js')).ingestCommands },
  { words: ['record'], load: async () => (await import('./record.js')).recordCommands },
  { words: ['doctor'], load: async () => (await import('./doctor.js')).doctorCommands },
  { words: ['run'], load: async () => (await import('./run.js')).runCommands },
  { words: ['replay'], load: async () => (await import('./replay.js')).replayCommands },
  { words: ['dlq'], load: async () => (await import('./dlq.js')).dlqCommands },
  { words: ['show'], load: async () => (await import('./show.js')).showCommands },
  { words: ['verify'], load: async () => (await import('./verify.js')).verifyCommands },
  { words: ['rebuild'], load: async () => (await import('./rebuild.js')).rebuildCommands },
  { words: ['digests'], load: async () => (await import('./digests.js')).digestCommands },
  { words: ['explain'], load: async () => (await import('./explain.js')).explainCommands },
  { words: ['capture'], load: async () => (await import('./capture.js')).captureCommands },
];

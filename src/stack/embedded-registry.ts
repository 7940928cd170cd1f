import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { artefactFolder } from './artefacts.js';
import type { EmbeddedPiece } from './embedded-piece.js';
import type { StackPaths } from './paths.js';
import { StackError } from './stack-error.js';
import { requireJava } from './toolchain.js';

/** Its jar lies among downloads that several stacks may share, so a property of no other use says whose it is. */
function marker(paths: StackPaths): string {
  return `-Dposition-linker.stack=${paths.registryDir}`;
}

/** Of its list of subjects Apicurio gives the oldest thousand, unless told otherwise; who clears a namespace needs them all. */
export const MAX_SUBJECTS = 1_000_000;

/**
 * Apicurio Registry, with its schemas in a file. Its default is memory; but records in Kafka carry schema ids, and after a
 * restart an empty registry would give the same ids to other schemas.
 */
export const embeddedRegistry: EmbeddedPiece = {
  name: 'registry',
  portNames: ['registry'],
  folder: (paths) => paths.registryDir,
  markers: (paths) => [marker(paths)],
  address: (_paths, ports) => `http://127.0.0.1:${ports['registry']}/apis/ccompat/v7`,

  async prepare(paths, ports, options) {
    const java = await requireJava(options);
    const folder = await artefactFolder('registry', paths, options);
    const jar = readdirSync(folder).find((name) => name.endsWith('-runner.jar'));
    if (jar === undefined) throw new StackError(`${folder} holds no registry`, `remove ${folder}, then run \`stack up\``);
    const dataDir = join(paths.registryDir, 'data');
    mkdirSync(dataDir, { recursive: true });
    return {
      program: java.executable,
      args: [
        '-Xmx300m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        marker(paths),
        '-Dquarkus.http.host=127.0.0.1',
        `-Dquarkus.http.port=${ports['registry']}`,
        '-Dquarkus.log.level=WARN',
        `-Dregistry.ccompat.max-subjects=${MAX_SUBJECTS}`,
        '-Dquarkus.datasource.jdbc.initial-size=2',
        '-Dquarkus.datasource.jdbc.min-size=2',
        '-jar',
        join(folder, jar),
      ],
      // WRITE_DELAY=0: a schema id that was given out is on disk before the answer.
      env: { ...options.env, REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${join(dataDir, 'registry')};WRITE_DELAY=0` },
    };
  },

  stopSteps: [
    { signal: 'SIGTERM', waitMs: 10_000 },
    { signal: 'SIGKILL', waitMs: 5_000 },
  ],
};

import { expect } from 'chai';
import { topicName } from '../../src/config/namespace.js';
import type { PositionOrder } from '../../src/domain/records.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import { openCodec } from '../../src/schema-registry/open-codec.js';
import { stackEnvironment } from '../cli/temporary-namespace.js';
import { captureFile, RebuildSession } from './rebuild-session.js';

const LINKS = 'position-linker.position_orders';

/**
 * What an older version with another rule would have written: of every third link one more revision, with another label.
 * Answers how many.
 */
async function writeByOldRules(session: RebuildSession): Promise<number> {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL: registryUrl } = stackEnvironment();
  const log = new KafkaLog({ brokers: KAFKA_BROKERS.split(','), clientId: 'old-rules' });
  const codec = await openCodec({ registryUrl, namespace: session.namespace, topics: [{ name: LINKS, records: ['PositionOrder'] }] });
  const topic = topicName(session.namespace, LINKS);
  const writer = log.sourceWriter();
  let written = 0;
  for (let partition = 0; partition < session.partitions; partition++) {
    const links = new Map<string, PositionOrder>();
    for await (const { records } of log.readRange({ topic, partition, from: 0, until: 'lastStable' })) {
      await codec.learn(records.map(({ value }) => value));
      for (const { value } of records) {
        const { type, value: link } = codec.decode(value!);
        if (type === 'PositionOrder' && !link.retracted) links.set(link.id, link);
        else if (type === 'PositionOrder') links.delete(link.id);
      }
    }
    for (const [n, link] of [...links.values()].entries()) {
      if (n % 3 !== 0) continue;
      const old: PositionOrder = { ...link, evidence: 'ambiguous', candidates: 7, revision: link.revision + 1, reason: 'late_fill' };
      await writer.send([{ topic, partition, timestampMs: link.known_at, key: Buffer.from(link.asset), value: codec.encode('PositionOrder', old) }]);
      written += 1;
    }
  }
  await writer.close();
  await log.close();
  return written;
}

describe('rebuild after the rules changed', function () {
  this.timeout(120_000);
  const session = new RebuildSession('hedge', 3);
  after(() => session.end());

  it('compares at the end of the log, swaps there, and the new version goes on from it', async () => {
    await session.start();
    const byNewRules = await session.rows();
    const changed = await writeByOldRules(session);
    expect(changed).to.be.greaterThan(5);
    await session.done('run', 'all', '--drain');
    const byOldRules = await session.rows();
    expect(byOldRules).to.not.equal(byNewRules);

    const report = await session.rebuild(3, '--at-end');
    expect(report).to.include({ equal: false, swapped: false });
    expect(report.tables.filter(({ live, rebuilt }) => live !== rebuilt).map(({ table, changed: rows, missing, added }) => [table, rows, missing, added])).to.deep.equal([['position_orders', changed, 0, 0]]);
    const columns = report.tables.find(({ table }) => table === 'position_orders')!.differences[0]!.columns;
    expect(columns).to.include.keys('evidence', 'revision', 'reason');
    expect(columns['evidence']?.live).to.equal('ambiguous');
    expect(await session.rows()).to.equal(byOldRules);

    expect(await session.rebuild(3, '--at-end', '--swap')).to.include({ equal: false, swapped: true });
    const withoutOffsets = (rows: string): string => rows.split('\n').filter((row) => !row.startsWith('sink_offsets ')).join('\n');
    expect(withoutOffsets(await session.rows())).to.equal(withoutOffsets(byNewRules));

    await session.done('ingest', '--capture', captureFile('clean'));
    await session.done('run', 'all', '--drain');
    expect(withoutOffsets(await session.rows())).to.not.equal(withoutOffsets(byNewRules));
    expect(await session.rebuild(0)).to.include({ equal: true });
  });

  it('refuses that while roles have not worked off the log, and says what to do', async () => {
    const before = await session.rows();
    await session.done('ingest', '--capture', captureFile('late-fills'));
    const { code, stderr } = await session.command('rebuild', '--at-end', '--swap');
    expect(code).to.not.be.oneOf([0, 3]);
    expect(stderr).to.contain('have not worked off the log').and.contain('run all --drain');
    expect(await session.rows()).to.equal(before);
  });
});

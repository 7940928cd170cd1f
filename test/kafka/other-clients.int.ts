/*
 * Weaknesses of kafkajs 2.2.4 that would break exactly-once, and why this project is not touched by them. kafkajs is used
 * for topic administration alone; producing, reading, offsets and group membership are parts of src/kafka.
 *
 * | what kafkajs does                                                        | here                             | shown by                                             |
 * |--------------------------------------------------------------------------|----------------------------------|------------------------------------------------------|
 * | loses a partition whose leader moves onto a broker that answered already | produce-dispatch.ts              | produce-dispatch.test: `reach a partition whose ...` |
 * | sends an appended batch again with a new sequence                        | produce-dispatch.ts              | produce-dispatch.test: `that were appended are ...`  |
 * | goes on with a rolled-back sequence after an abort                       | abort is a new epoch             | transactions.int: `that are aborted leave nothing`, `cut off at Produce, before-answer` |
 * | chooses a partition anew with every retry                                | OutgoingRecord.partition         | the type; produce.test: `keeps the order within ...` |
 * | is dead after a failed EndTxn                                            | TransactionalProducer.init       | transactions.int: `cut off at EndTxn`                |
 * | does not follow a group's coordinator inside a transaction               | transaction-coordinator.ts       | transactions.int: `cut off at TxnOffsetCommit`, `... AddOffsetsToTxn`; errors.test: `are refusals only ...` |
 * | waits 300 ms at CONCURRENT_TRANSACTIONS                                  | transaction-coordinator.ts       | transactions.int: `follow each other at once`        |
 * | breaks off after 2^31 records of a producer                              | PartitionSequences               | produce.test: `go on from 0 after 2^31 - 1`; source-writer.int: `numbers records past 2^31` |
 * | hands over records of aborted transactions                               | committed-records.ts             | committed-records.test, all; reading.int: `never shows records of aborted ...`; below |
 * | stands still at empty batches, or goes one offset a fetch                | batch-decoder.ts, read-range.ts  | record-batch.test: `moves the position past ...`; reading.int: `ends a compacted changelog by position` |
 * | does not check checksums; cannot take more records than a call arguments | batch-decoder.ts                 | record-batch.test: `with a byte changed ...`, `holds many more records ...` |
 * | begins elsewhere when its offset is gone, and commits that               | fetcher.ts: StateLostError       | reading.int: `says that a position is not in the log`, `of a log whose beginning ...` |
 * | asks for a producer id outside of its transactions                       | TransactionalProducer.init       | transactions.int: `of a writer that was succeeded are refused` |
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { committedValues, LiveKafka, outgoing } from './live.js';
import { consoleConsume, javaTool, listTransactions } from './kafka-tools.js';

describe('other clients', function () {
  this.timeout(120_000);
  let kafka: LiveKafka;
  before(() => {
    kafka = new LiveKafka();
  });
  after(() => kafka.cleanUp());

  it('read, committed only, what was written here: transactions of several writers, open, committed and aborted at once', async () => {
    const topic = await kafka.topic(1);
    const log = kafka.log();
    const expected: string[] = [];
    const ids = Array.from({ length: 6 }, () => kafka.name('task'));
    const writers = ids.map((id) => log.writer(id));
    for (const writer of writers) await writer.init();
    for (let round = 0; round < 3; round++) {
      for (const [index, writer] of writers.entries()) await writer.send([outgoing(topic, 0, `${index}/${round}`, 'key')]);
      for (const [index, writer] of [...writers.entries()].reverse()) {
        if ((index + round) % 2 === 0) await writer.commit('', []);
        else await writer.abort();
      }
      expected.push(...writers.map((_, index) => `${index}/${round}`).filter((_, index) => (index + round) % 2 === 0));
    }
    const seen: string[] = [];
    await consoleConsume(kafka.brokers, topic, ({ value }) => void seen.push(value));
    expect(seen).to.deep.equal(expected);
    expect(await committedValues(log, topic, 0, expected.length)).to.deep.equal(expected);
    const states = await listTransactions(kafka.brokers);
    for (const id of ids) expect(states.get(id)).to.be.oneOf(['Empty', 'CompleteCommit', 'CompleteAbort']);
  });

  it('write what is read here as they wrote it, packed or not', async () => {
    const topic = await kafka.topic(1);
    for (const codec of ['none', 'gzip']) {
      const { program, args } = await javaTool('org.apache.kafka.tools.ConsoleProducer', [
        '--bootstrap-server', kafka.brokers.join(','), '--topic', topic, '--compression-codec', codec, '--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:',
      ]);
      const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
      child.stdin.end(Array.from({ length: 500 }, (_, index) => `k${index}:${codec}-${index}\n`).join(''));
      await once(child, 'exit');
    }
    const values = await committedValues(kafka.log(), topic, 0, 1_000);
    expect(values).to.deep.equal(['none', 'gzip'].flatMap((codec) => Array.from({ length: 500 }, (_, index) => `${codec}-${index}`)));
  });
});

/*
 * The ceiling: topics read and decoded, and nothing done with it.
 *
 *   node --import tsx bench/stages/consume.ts --namespace NAME TOPIC...
 */
import { parseArgs } from 'node:util';
import { topicName } from '../../src/config/namespace.js';
import { answer, measure, openShell } from './stage-shell.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { namespace: { type: 'string' } } });
const namespace = values.namespace ?? '';
const { log, codec } = await openShell(namespace);
const finish = measure();
let records = 0;
let watermarks = 0;
let bytes = 0;
const places = [];
for (const topic of positionals.map((bare) => topicName(namespace, bare))) {
  for (let partition = 0; partition < (await log.partitionCount(topic)); partition++) places.push({ topic, partition });
}
const ends = await log.lastStableOffsets(places);
const left = new Map(ends.filter(({ offset }) => offset > 0).map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
const reader = log.reader();
reader.assign(places.map((place) => ({ ...place, offset: 0 })));
while (left.size > 0) {
  for (const { topic, partition, records: fetched, nextOffset } of await reader.poll(1_000)) {
    await codec.learn(fetched.map(({ value }) => value));
    for (const { value } of fetched) {
      if (value === null) continue;
      bytes += value.length;
      if (codec.decode(value).type === 'Watermark') watermarks++;
      else records++;
    }
    if (nextOffset >= (left.get(`${topic}/${partition}`) ?? Infinity)) left.delete(`${topic}/${partition}`);
  }
}
const usage = finish();
await reader.close();
await log.close();
answer({ ...usage, records, watermarks, bytes });

import { expect } from 'chai';
import { explainText } from '../../src/cli/explain-text.js';
import { exactJson } from '../../src/cli/exact-json.js';
import type { Policy } from '../../src/config/options.js';
import { readAssetLog, type AssetLog } from '../../src/explain/asset-log.js';
import { bookViews } from '../../src/explain/book-view.js';
import { linkStory } from '../../src/explain/link-story.js';
import { storyOf, type Story, type Subject } from '../../src/explain/story.js';
import { partitionOf } from '../../src/kafka/partitioner.js';
import type { CaptureInput } from '../../src/replay/capture-source.js';
import { captureFile } from '../captures/captures.js';
import { deliveredAnew } from '../position-linker/delivered-anew.js';
import { replaySession } from '../replay/replay-session.js';
import { scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';

const PARTITIONS = 2;

/** What the topics say of each asset of a recorded session. */
async function logsOf(input: CaptureInput, policy: Policy): Promise<AssetLog[]> {
  const { log, codec } = await replaySession(input, { policy, partitions: PARTITIONS, isLogKept: true });
  const keys = new Set(Array.from({ length: PARTITIONS }, (_, partition) => log.records('ws-gateway.position', partition)).flat().filter(({ key }) => key !== null).map(({ key }) => Buffer.from(key as Uint8Array).toString()));
  return Promise.all([...keys].sort().map((asset) => readAssetLog({ log, codec, namespace: null }, asset, partitionOf(asset, PARTITIONS))));
}

describe('explanations', () => {
  for (const [name, policy] of [['shared-signals', 'fifo'], ['hidden-trades', 'fifo']] as const) {
    describe(`of ${name}, ${policy}`, () => {
      let logs: AssetLog[];
      const tell = (kind: Subject['kind'], id: string | null, log: AssetLog): Story => storyOf(log, { kind, id, asset: log.asset }, policy);

      before(async () => {
        logs = await logsOf({ path: captureFile(name).pathname }, policy);
      });

      it('take from lots, signal by signal, what the deltas took', () => {
        let closed = 0;
        for (const log of logs) {
          for (const view of bookViews(log, policy).values()) {
            for (const { value: link } of view.links) {
              const byDelta = new Map<string, bigint>();
              for (const delta of view.deltas) if (delta.link_id === link.id && delta.kind !== 'entry') byDelta.set(delta.signal_id ?? '', (byDelta.get(delta.signal_id ?? '') ?? 0n) + delta.quantity);
              const byLot = new Map<string, bigint>();
              for (const lot of view.taken.get(link.id) ?? []) byLot.set(lot.signal_id ?? '', (byLot.get(lot.signal_id ?? '') ?? 0n) + lot.quantity);
              expect(byLot, link.id).to.deep.equal(byDelta);
              closed += byLot.size;
            }
          }
        }
        expect(closed).to.be.greaterThan(20);
      });

      it('give every link an equation that holds, or say that no update shows it', () => {
        for (const log of logs) {
          for (const view of bookViews(log, policy).values()) {
            for (const placed of view.links) {
              const { link, equation, inputs } = linkStory(log, view, placed);
              expect(equation === null ? link.evidence : equation.size.holds, link.id).to.be.oneOf([true, 'fills_only']);
              expect(inputs.every(({ row }) => row !== null), link.id).to.equal(true);
              if (link.evidence === 'exact') expect(equation?.size.changes.map(({ link_id }) => link_id)).to.include(link.id);
            }
          }
        }
      });

      it('can be told of everything there is, in words and as JSON', () => {
        for (const log of logs) {
          const link = log.links.find(({ value }) => value.exec_id !== null && value.signal_id !== null)?.value;
          const subjects: [Subject['kind'], string | null][] = [['asset', log.asset], ['order', link?.order_id ?? null], ['exec', link?.exec_id ?? null], ['signal', link?.signal_id ?? null], ['signal', null], ['position', link?.position_id ?? null]];
          for (const [kind, id] of subjects) {
            const story = tell(kind, id, log);
            expect(explainText([story])).to.match(kind === 'asset' ? /^\S+ \(closing quantity/ : new RegExp(`^${kind} `));
            expect(JSON.parse(exactJson(story))).to.have.nested.property('subject.kind', kind);
            if (kind === 'order' || kind === 'exec') expect(story.links.length, kind).to.be.greaterThan(0);
          }
        }
      });
    });
  }

  it('split funding over the lots that were open', async () => {
    const logs = await logsOf({ lines: simulate(scenario('funding', 3, { orders: 12, trouble: { funding: 0.3 } })).lines }, 'pro-rata');
    const stories = logs.flatMap((log) => log.cash.slice(0, 3).map(({ value }) => storyOf(log, { kind: 'exec', id: value.cash_id, asset: log.asset }, 'pro-rata')));
    expect(stories).to.not.have.length(0);
    for (const { cash: [told] } of stories) expect(told!.shares.reduce((sum, share) => sum + share.funding, 0n)).to.equal(told!.cash.amount);
    expect(explainText(stories.slice(0, 1))).to.match(/funding -?[\d.]+ USDT (paid|received)/);
  });

  it('name the revisions of a link, why each was issued, and the input it came with', async () => {
    const stories = (await logsOf({ lines: deliveredAnew(simulate(scenario('partials', 2, { orders: 10 })).lines, 2) }, 'pro-rata')).flatMap((log) => [...bookViews(log, 'pro-rata').values()].flatMap((view) => view.cycles.map(({ value }) => storyOf(log, { kind: 'position', id: value.position_id, asset: log.asset }, 'pro-rata'))));
    const revised = stories.flatMap(({ links }) => links).filter(({ revisions }) => revisions.length > 1);
    expect(revised).to.not.have.length(0);
    for (const { revisions } of revised) {
      expect(revisions[0]!.reason).to.equal('new');
      expect(revisions.at(-1)!.revision).to.be.greaterThan(0);
      for (const [index, { changes, new_inputs, retracted }] of revisions.entries()) expect(index === 0 || retracted || revisions[index - 1]!.retracted || changes.length + new_inputs.length > 0, exactJson(revisions)).to.equal(true);
    }
    const text = explainText(stories);
    expect(text).to.match(/revision \d+, .* came late.*came with ws-gateway\.\w+\/\d@\d+/);
  });
});

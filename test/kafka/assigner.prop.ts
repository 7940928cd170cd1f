import { expect } from 'chai';
import fc from 'fast-check';
import { assignTasks, decodeClaim, encodeClaim, type MemberClaim } from '../../src/kafka/assigner.js';

const memberIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 });
const taskCount = fc.integer({ min: 0, max: 30 });

/** Claims as any mixture of members old and new could make them: overlapping, outdated, out of range. */
const members = memberIds.chain((ids) =>
  fc.tuple(...ids.map((memberId) =>
    fc.record({
      memberId: fc.constant(memberId),
      tasks: fc.uniqueArray(fc.integer({ min: -1, max: 32 }), { maxLength: 12 }),
      generation: fc.integer({ min: -1, max: 5 }),
    }),
  )),
);

function claimsOf(assignment: ReadonlyMap<string, readonly number[]>, generation: number): MemberClaim[] {
  return [...assignment].map(([memberId, tasks]) => ({ memberId, tasks, generation }));
}

describe('assignTasks', () => {
  it('gives every task to exactly one member, and counts that differ by one at most', () => {
    fc.assert(
      fc.property(members, taskCount, (claims, count) => {
        const assignment = assignTasks(claims, count);
        expect([...assignment.keys()].sort()).to.deep.equal(claims.map(({ memberId }) => memberId).sort());
        expect([...assignment.values()].flat().sort((a, b) => a - b)).to.deep.equal(Array.from({ length: count }, (_, i) => i));
        const sizes = [...assignment.values()].map((tasks) => tasks.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1);
      }),
    );
  });

  it('does not depend on the order in which members are listed', () => {
    fc.assert(
      fc.property(members, taskCount, (claims, count) => {
        const sorted = (order: readonly MemberClaim[]): unknown => [...assignTasks(order, count)].sort(([a], [b]) => (a < b ? -1 : 1));
        expect(sorted([...claims].reverse())).to.deep.equal(sorted(claims));
      }),
    );
  });

  it('changes nothing when the same members join again', () => {
    fc.assert(
      fc.property(members, taskCount, (claims, count) => {
        const before = assignTasks(claims, count);
        expect(assignTasks(claimsOf(before, 9), count)).to.deep.equal(before);
      }),
    );
  });

  it('moves to a new member only what it has to get', () => {
    fc.assert(
      fc.property(members, taskCount, fc.constantFrom('', 'newcomer', '\u{10ffff}'), (claims, count, newcomer) => {
        const before = assignTasks(claims, count);
        const after = assignTasks([...claimsOf(before, 9), { memberId: newcomer, tasks: [], generation: -1 }], count);
        for (const [memberId, tasks] of after) {
          if (memberId !== newcomer) expect(before.get(memberId)).to.include.members(tasks);
        }
      }),
    );
  });

  it('moves from a member that left only what it had', () => {
    fc.assert(
      fc.property(members, taskCount, (claims, count) => {
        fc.pre(claims.length > 1);
        const before = assignTasks(claims, count);
        const [, ...staying] = claimsOf(before, 9);
        const after = assignTasks(staying, count);
        for (const { memberId, tasks } of staying) expect(after.get(memberId)).to.include.members([...tasks]);
      }),
    );
  });

  it('lets those who have most keep most', () => {
    const claims = [
      { memberId: 'a', tasks: [0], generation: 1 },
      { memberId: 'b', tasks: [1, 2], generation: 1 },
      { memberId: 'c', tasks: [3, 4], generation: 1 },
    ];
    expect(assignTasks(claims, 5)).to.deep.equal(new Map([['a', [0]], ['b', [1, 2]], ['c', [3, 4]]]));
  });

  it('believes the later generation where two members claim a task', () => {
    const mirrored = assignTasks(
      [
        { memberId: 'a', tasks: [0, 1], generation: 4 },
        { memberId: 'b', tasks: [0, 1], generation: 3 },
      ],
      4,
    );
    expect(mirrored).to.deep.equal(new Map([['a', [0, 1]], ['b', [2, 3]]]));
    const assignment = assignTasks(
      [
        { memberId: 'asleep', tasks: [0, 1], generation: 3 },
        { memberId: 'heir', tasks: [0, 1], generation: 4 },
        { memberId: 'third', tasks: [2, 3], generation: 4 },
      ],
      6,
    );
    expect(assignment).to.deep.equal(new Map([['asleep', [4, 5]], ['heir', [0, 1]], ['third', [2, 3]]]));
  });

  it('reads a claim as it was written, and noise as none', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 1000 })), fc.integer({ min: -1, max: 9 }), (tasks, generation) => {
        expect(decodeClaim('m', encodeClaim(tasks, generation))).to.deep.equal({ memberId: 'm', tasks, generation });
      }),
    );
    for (const noise of ['', '00', 'ffffffffffffffff', '0000000000000002000000']) {
      expect(decodeClaim('m', Buffer.from(noise, 'hex')).tasks).to.deep.equal([]);
    }
  });
});

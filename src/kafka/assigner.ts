/** A member as the group's leader sees it: what it says it owned, and since which generation. */
export interface MemberClaim {
  readonly memberId: string;
  readonly tasks: readonly number[];
  readonly generation: number;
}

/**
 * Deals tasks 0..taskCount-1 to the members. A task is partition p of every input topic at once, so co-partitioned
 * inputs can never part. Pure and deterministic: the order of the members makes no difference.
 *
 * The counts of any two members differ by one at most, and as few tasks as that allows change their owner. Where two
 * members claim a task (one was away and does not know it lost it) the later generation counts.
 */
export function assignTasks(members: readonly MemberClaim[], taskCount: number): Map<string, number[]> {
  const byId = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const assignment = new Map<string, number[]>(byId.map(({ memberId }) => [memberId, []]));
  if (byId.length === 0) return assignment;

  const claims = rightfulClaims(byId, taskCount);
  const smaller = Math.floor(taskCount / byId.length);
  let larger = taskCount % byId.length;
  // The larger shares go to those who have most to keep.
  const byClaims = [...byId].sort((a, b) => claims.get(b.memberId)!.length - claims.get(a.memberId)!.length);
  const quota = new Map<string, number>();
  for (const { memberId } of byClaims) {
    quota.set(memberId, larger > 0 ? smaller + 1 : smaller);
    larger--;
  }

  const isTaken = new Array<boolean>(taskCount).fill(false);
  for (const { memberId } of byId) {
    for (const task of claims.get(memberId)!.slice(0, quota.get(memberId)!)) {
      assignment.get(memberId)!.push(task);
      isTaken[task] = true;
    }
  }
  let free = 0;
  for (const { memberId } of byId) {
    const tasks = assignment.get(memberId)!;
    while (tasks.length < quota.get(memberId)!) {
      while (isTaken[free]) free++;
      isTaken[free] = true;
      tasks.push(free);
    }
    tasks.sort((a, b) => a - b);
  }
  return assignment;
}

/** Each task at most once: with the claim of the latest generation, of equal ones the smaller member id's. */
function rightfulClaims(byId: readonly MemberClaim[], taskCount: number): Map<string, number[]> {
  const owner = new Array<MemberClaim | undefined>(taskCount);
  for (const member of byId) {
    for (const task of member.tasks) {
      if (!Number.isInteger(task) || task < 0 || task >= taskCount) continue;
      const before = owner[task];
      if (before === undefined || before.generation < member.generation) owner[task] = member;
    }
  }
  const claims = new Map<string, number[]>(byId.map(({ memberId }) => [memberId, []]));
  owner.forEach((member, task) => {
    if (member !== undefined) claims.get(member.memberId)!.push(task);
  });
  return claims;
}

/** A claim as it travels in a member's metadata: generation, count, task numbers, each int32. */
export function encodeClaim(tasks: readonly number[], generation: number): Buffer {
  const bytes = Buffer.alloc(8 + tasks.length * 4);
  bytes.writeInt32BE(generation, 0);
  bytes.writeInt32BE(tasks.length, 4);
  tasks.forEach((task, i) => bytes.writeInt32BE(task, 8 + i * 4));
  return bytes;
}

/** Bytes that are no claim count as none: another version of the program may have written them. */
export function decodeClaim(memberId: string, bytes: Buffer): MemberClaim {
  const nothing = { memberId, tasks: [], generation: -1 };
  if (bytes.length < 8) return nothing;
  const count = bytes.readInt32BE(4);
  if (count < 0 || bytes.length !== 8 + count * 4) return nothing;
  const tasks = Array.from({ length: count }, (_, i) => bytes.readInt32BE(8 + i * 4));
  return { memberId, tasks, generation: bytes.readInt32BE(0) };
}

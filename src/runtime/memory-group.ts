import type { Assignment, GroupMember, JoinOptions } from '../kafka/log.js';

interface Member {
  readonly options: JoinOptions;
  tasks: readonly number[];
}

/** Group membership of the memory log: every join and leave deals the tasks anew, moving as few as possible. */
export class MemoryGroup {
  private readonly partitions: number;
  private readonly members: Member[] = [];
  private generation = 0;

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  join(options: JoinOptions): GroupMember {
    const member: Member = { options, tasks: [] };
    this.members.push(member);
    this.deal();
    return {
      owns: async (task) => this.members.includes(member) && member.tasks.includes(task),
      leave: async () => {
        const index = this.members.indexOf(member);
        if (index < 0) return;
        this.members.splice(index, 1);
        this.deal();
      },
    };
  }

  private deal(): void {
    if (this.members.length === 0) return;
    this.generation++;
    const free = new Set(Array.from({ length: this.partitions }, (_, task) => task));
    const share = (place: number): number => Math.floor(this.partitions / this.members.length) + (place < this.partitions % this.members.length ? 1 : 0);
    const kept = this.members.map((member, place) => member.tasks.slice(0, share(place)));
    for (const task of kept.flat()) free.delete(task);
    const assignments: [Member, Assignment][] = this.members.map((member, place) => {
      const tasks = [...(kept[place] as number[])];
      for (const task of free) {
        if (tasks.length >= share(place)) break;
        tasks.push(task);
        free.delete(task);
      }
      tasks.sort((a, b) => a - b);
      const gained = tasks.filter((task) => !member.tasks.includes(task));
      const lost = member.tasks.filter((task) => !tasks.includes(task));
      member.tasks = tasks;
      return [member, { generation: this.generation, tasks, gained, lost }];
    });
    for (const [member, assignment] of assignments) member.options.onAssignment(assignment);
  }
}

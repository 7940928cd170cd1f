import { assignTasks, decodeClaim, encodeClaim } from './assigner.js';
import {
  brokerError,
  disposition,
  ILLEGAL_GENERATION,
  MEMBER_ID_REQUIRED,
  NO_ERROR,
  REBALANCE_IN_PROGRESS,
  UNKNOWN_MEMBER_ID,
} from './broker-errors.js';
import type { Cluster } from './cluster.js';
import { classify, ConfigurationError, TransientError } from './errors.js';
import type { GroupMember, JoinOptions } from './log.js';
import {
  decodeMemberAssignment,
  decodeMemberMetadata,
  encodeMemberAssignment,
  encodeMemberMetadata,
  heartbeatRequest,
  joinGroupRequest,
  leaveGroupRequest,
  syncGroupRequest,
  type JoinAnswer,
} from './protocol/group-requests.js';
import type { KafkaRequest } from './protocol/request.js';
import { Signal } from './signal.js';

export const ASSIGNER_NAME = 'co-partitioned-sticky';

const DEFAULT_SESSION_TIMEOUT_MS = 10_000;
const DEFAULT_REBALANCE_TIMEOUT_MS = 30_000;
const DEFAULT_HEARTBEAT_MS = 1_000;
const RETRY_MS = 200;
/** A join waits for the other members up to the rebalance timeout; the answer then still has to come. */
const JOIN_MARGIN_MS = 10_000;

/** What the coordinator's refusal means for the member. */
type Verdict = 'ok' | 'rejoin' | 'thrown-out' | 'ask-again';

/**
 * Membership in a consumer group, and nothing else: no fetching, no offsets. Kafka's classic group protocol over the
 * requests of this folder, since a consumer that heartbeats only while it fetches, and rejoins when a leader moves, is
 * of no use to tasks that fetch for themselves.
 *
 * Tasks go on working through a rebalance: who loses one is told when the new assignment is there, and until then the
 * worst that can happen is a transaction that its new owner has fenced.
 */
export class GroupMembership implements GroupMember {
  readonly #cluster: Cluster;
  readonly #options: JoinOptions;
  readonly #lane: string;
  readonly #sessionTimeoutMs: number;
  readonly #rebalanceTimeoutMs: number;
  readonly #heartbeatMs: number;
  readonly #ended: Promise<void>;
  #memberId = '';
  #generation = -1;
  #tasks: readonly number[] = [];
  /** Owned last, kept after being thrown out so that the leader can give it back. */
  #claim: { readonly tasks: readonly number[]; readonly generation: number } = { tasks: [], generation: -1 };
  #isLeaving = false;
  /** Woken by a question, and by leaving. */
  readonly #pausing = new Signal();
  /** Questions asked after the last heartbeat left. */
  #questions: ((isOwned: (task: number) => boolean) => void)[] = [];

  constructor(cluster: Cluster, lane: string, options: JoinOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#lane = lane;
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS;
    this.#rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? DEFAULT_REBALANCE_TIMEOUT_MS;
    this.#heartbeatMs = options.heartbeatIntervalMs ?? DEFAULT_HEARTBEAT_MS;
    this.#ended = this.#run();
  }

  owns(task: number): Promise<boolean> {
    if (this.#isLeaving) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#questions.push((isOwned) => resolve(isOwned(task)));
      this.#pausing.wake();
    });
  }

  async leave(): Promise<void> {
    if (this.#isLeaving) return this.#ended;
    this.#isLeaving = true;
    // Closing the lane ends a join or heartbeat that is under way.
    this.#cluster.closeLane(this.#lane);
    this.#pausing.wake();
    await this.#ended;
    if (this.#memberId !== '') {
      await this.#ask(leaveGroupRequest(this.#options.groupId, this.#memberId)).catch(() => {});
    }
    this.#cluster.closeLane(this.#lane);
    this.#answerQuestions(this.#questions.splice(0), () => false);
  }

  async #run(): Promise<void> {
    while (!this.#isLeaving) {
      try {
        await this.#join();
        await this.#stay();
      } catch (error) {
        const failure = classify(error, `membership in group ${this.#options.groupId} failed`);
        if (this.#isLeaving) return;
        if (!(failure instanceof TransientError)) {
          this.#isLeaving = true;
          this.#answerQuestions(this.#questions.splice(0), () => false);
          this.#options.onFailure(failure);
          return;
        }
        await this.#pausing.wait(RETRY_MS);
      }
    }
  }

  /** Joins until an assignment of a generation is there; the elected leader makes it for all. */
  async #join(): Promise<void> {
    const { groupId, topics } = this.#options;
    while (!this.#isLeaving) {
      const joined = await this.#ask(
        joinGroupRequest({
          groupId,
          sessionTimeoutMs: this.#sessionTimeoutMs,
          rebalanceTimeoutMs: this.#rebalanceTimeoutMs,
          memberId: this.#memberId,
          protocolName: ASSIGNER_NAME,
          metadata: encodeMemberMetadata({ topics, userData: encodeClaim(this.#claim.tasks, this.#claim.generation) }),
        }),
        this.#rebalanceTimeoutMs + JOIN_MARGIN_MS,
      );
      if (joined.errorCode === MEMBER_ID_REQUIRED) {
        this.#memberId = joined.memberId;
        continue;
      }
      if (!(await this.#proceeds(joined.errorCode, 'JoinGroup'))) continue;
      this.#memberId = joined.memberId;

      const membership = { groupId, generation: joined.generation, memberId: joined.memberId };
      const assignments = joined.leaderId === joined.memberId ? await this.#assign(joined) : [];
      const synced = await this.#ask(syncGroupRequest(membership, assignments), this.#rebalanceTimeoutMs + JOIN_MARGIN_MS);
      if (!(await this.#proceeds(synced.errorCode, 'SyncGroup'))) continue;
      this.#generation = joined.generation;
      this.#take(decodeMemberAssignment(synced.assignment));
      return;
    }
  }

  async #assign({ members }: JoinAnswer): Promise<{ memberId: string; assignment: Buffer }[]> {
    const taskCount = await this.#taskCount();
    const decoded = members.map(({ memberId, metadata }) => ({ memberId, ...decodeMemberMetadata(metadata) }));
    const tasks = assignTasks(decoded.map(({ memberId, userData }) => decodeClaim(memberId, userData)), taskCount);
    return decoded.map(({ memberId, topics }) => ({ memberId, assignment: encodeMemberAssignment(topics, tasks.get(memberId)!) }));
  }

  async #taskCount(): Promise<number> {
    const { topics, groupId } = this.#options;
    const counts = await Promise.all(topics.map((topic) => this.#cluster.partitionCount(topic)));
    const taskCount = counts[0] ?? 0;
    if (counts.some((count) => count !== taskCount)) {
      const listed = topics.map((topic, i) => `${topic} ${counts[i]}`).join(', ');
      throw new ConfigurationError(`the input topics of ${groupId} differ in their number of partitions: ${listed}`);
    }
    return taskCount;
  }

  /** Heartbeats until the group rebalances or forgets this member. */
  async #stay(): Promise<void> {
    while (!this.#isLeaving) {
      if (this.#questions.length === 0) await this.#pausing.wait(this.#heartbeatMs);
      if (this.#isLeaving) return;
      const questions = this.#questions.splice(0);
      try {
        const membership = { groupId: this.#options.groupId, generation: this.#generation, memberId: this.#memberId };
        const { errorCode } = await this.#ask(heartbeatRequest(membership), this.#sessionTimeoutMs);
        const verdict = await this.#judge(errorCode, 'Heartbeat');
        if (verdict === 'ok') {
          this.#answerQuestions(questions, (task) => this.#tasks.includes(task));
          continue;
        }
        this.#questions.unshift(...questions);
        if (verdict === 'ask-again') continue;
        if (verdict === 'thrown-out') this.#loseAll(errorCode);
        return;
      } catch (error) {
        this.#questions.unshift(...questions);
        const failure = classify(error);
        if (!(failure instanceof TransientError)) throw failure;
        // The coordinator may be restarting; it keeps members for the session timeout. If not, it will say so.
        await this.#pausing.wait(RETRY_MS);
      }
    }
  }

  async #proceeds(errorCode: number, what: string): Promise<boolean> {
    const verdict = await this.#judge(errorCode, what);
    if (verdict === 'thrown-out') this.#loseAll(errorCode);
    return verdict === 'ok';
  }

  async #judge(errorCode: number, what: string): Promise<Verdict> {
    if (errorCode === NO_ERROR) return 'ok';
    if (errorCode === REBALANCE_IN_PROGRESS) return 'rejoin';
    if (errorCode === UNKNOWN_MEMBER_ID || errorCode === ILLEGAL_GENERATION) return 'thrown-out';
    if (disposition(errorCode) !== 'refused') throw brokerError(errorCode, `${what} of group ${this.#options.groupId}`);
    this.#cluster.forgetCoordinator('group', this.#options.groupId);
    await this.#pausing.wait(RETRY_MS);
    return 'ask-again';
  }

  /** The group goes on without this member: everything owned is lost at once, not only when the next join is done. */
  #loseAll(errorCode: number): void {
    // An id the group still knows has to be used again, or the others would wait for its return.
    if (errorCode === UNKNOWN_MEMBER_ID) this.#memberId = '';
    if (this.#tasks.length > 0) this.#announce([]);
  }

  #take(tasks: readonly number[]): void {
    if (this.#isLeaving) return;
    this.#claim = { tasks, generation: this.#generation };
    this.#announce(tasks);
    this.#answerQuestions(this.#questions.splice(0), (task) => tasks.includes(task));
  }

  #announce(tasks: readonly number[]): void {
    const before = this.#tasks;
    this.#tasks = tasks;
    this.#options.onAssignment({
      generation: this.#generation,
      tasks,
      gained: tasks.filter((task) => !before.includes(task)),
      lost: before.filter((task) => !tasks.includes(task)),
    });
  }

  #answerQuestions(questions: ((isOwned: (task: number) => boolean) => void)[], isOwned: (task: number) => boolean): void {
    for (const answer of questions) answer(isOwned);
  }

  async #ask<Answer>(request: KafkaRequest<Answer>, timeoutMs = 0): Promise<Answer> {
    const { groupId } = this.#options;
    const nodeId = await this.#cluster.coordinator('group', groupId);
    try {
      return await this.#cluster.request(nodeId, this.#lane, request, timeoutMs);
    } catch (error) {
      this.#cluster.forgetCoordinator('group', groupId);
      throw error;
    }
  }
}

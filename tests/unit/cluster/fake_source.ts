/**
 * An experiment as the cluster sees it: a source that keeps what it is told, and answers as the test has it.
 *
 * @module
 */
import type { Ref } from "../../../shared/actor/actor.ts";
import type { GroupId } from "../../../shared/model/ids.ts";
import type { TaskTemplate } from "../../../shared/model/task.ts";
import type { ClusterToSource } from "../../../master/cluster/messages.ts";
import type { StoreChange, TrialRow } from "../../../master/store/store.ts";
import type { Fleet } from "./fleet.ts";

/** One life of a scripted experiment. */
export class FakeSource {
  readonly group: GroupId;
  readonly ref: Ref<ClusterToSource>;
  readonly told: ClusterToSource[] = [];
  readonly #fleet: Fleet;
  #next = 1;

  constructor(
    fleet: Fleet,
    group: GroupId,
    template: TaskTemplate,
    minWorkers: number,
    maxConcurrent: number | null = null,
  ) {
    this.#fleet = fleet;
    this.group = group;
    this.#next = (fleet.disk.state.groups.get(group)?.lastNumber ?? 0) + 1;
    this.ref = fleet.spawn<ClusterToSource>(`source:${group}`, () => ({
      receive: (message) => void this.told.push(message),
    }));
    fleet.post({ type: "source_opened", source: this.ref, group, template, minWorkers, maxConcurrent });
  }

  of<T extends ClusterToSource["type"]>(type: T): readonly Extract<ClusterToSource, { type: T }>[] {
    return this.told.filter((each): each is Extract<ClusterToSource, { type: T }> => each.type === type);
  }

  /** How many it was asked for, all together. */
  get wanted(): number {
    return this.of("wanted").reduce((sum, each) => sum + each.count, 0);
  }

  /** Proposes, without waiting for what follows. */
  posts(count: number): void {
    const trial: TrialRow = { candidate: "{}", hash: "", parents: [], toldBefore: 0 };
    const first = this.#next;
    this.#next += count;
    this.#fleet.post({
      type: "source_submits",
      group: this.group,
      first,
      payloads: Array.from({ length: count }, () => new Uint8Array([1])),
      trials: Array.from({ length: count }, () => trial),
    });
  }

  submits(count: number): void {
    this.posts(count);
    this.#fleet.settle();
  }

  declines(count: number): void {
    this.#fleet.post({ type: "source_declines", group: this.group, count });
    this.#fleet.settle();
  }

  wants(): void {
    this.#fleet.post({ type: "source_wants", group: this.group });
    this.#fleet.settle();
  }

  closes(cancelOpen: boolean, changes: readonly StoreChange[] = []): void {
    this.#fleet.post({ type: "source_closed", group: this.group, cancelOpen, changes });
    this.#fleet.settle();
  }
}

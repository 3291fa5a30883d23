/**
 * All tasks without an outcome, found by their ids.
 *
 * Promise: no index of its own: a task's id says where it is. With 200,000 of them a map by id costs more than all the
 * rest that is done for a task.
 *
 * @module
 */
import { type GroupId, type TaskId, taskParts } from "../../shared/model/ids.ts";
import type { Group, LiveTask } from "./live_task.ts";

/** The open tasks of all groups. */
export class OpenTasks {
  readonly #groups: ReadonlyMap<GroupId, Group>;
  #size = 0;

  constructor(groups: ReadonlyMap<GroupId, Group>) {
    this.#groups = groups;
  }

  get size(): number {
    return this.#size;
  }

  get(id: TaskId): LiveTask | undefined {
    const { group, number } = taskParts(id);
    return this.#groups.get(group)?.open.get(number);
  }

  /** Whether this very task is open: attempts may outlive their task, also one of the same name. */
  has(task: LiveTask): boolean {
    return task.group.open.get(task.number) === task;
  }

  add(task: LiveTask): void {
    task.group.open.set(task.number, task);
    this.#size += 1;
  }

  remove(task: LiveTask): void {
    if (task.group.open.delete(task.number)) this.#size -= 1;
  }

  *values(): IterableIterator<LiveTask> {
    for (const group of this.#groups.values()) yield* group.open.values();
  }
}

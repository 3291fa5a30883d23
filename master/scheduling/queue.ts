/**
 * The queue: tasks that wait for a slot, by priority, then in order.
 *
 * Promise: a task that fits nowhere holds back only those with the same needs. Taking, adding at either end and
 * removing cost the same however many wait, and what left the queue is not kept by it.
 *
 * @module
 */
import type { Resources } from "../../shared/model/resources.ts";

/** What the queue needs of what waits in it. */
export interface Queued<T> {
  /** Where it waits: the queue's own. */
  place: Place<T> | undefined;
}

/** What decides where a task can go. */
export interface Needs {
  readonly priority: number;
  readonly resources: Resources;
  readonly evaluatorKind: string;
  /** Tasks of equal needs wait in one lane: its name. */
  readonly lane: string;
}

/** The needs of tasks; made once for all tasks that share them. */
export function needs(priority: number, resources: Resources, evaluatorKind: string): Needs {
  const { cpus, memoryBytes, gpus } = resources;
  const lane = `${priority} ${cpus} ${memoryBytes} ${gpus} ${evaluatorKind}`;
  return { priority, resources, evaluatorKind, lane };
}

/** A task's place in its lane. */
export interface Place<T> {
  readonly task: T;
  readonly lane: Lane<T>;
  /** Smaller goes first. */
  readonly order: number;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

/** Tasks of equal needs, in order. */
interface Lane<T> {
  readonly needs: Needs;
  first: Place<T> | undefined;
  last: Place<T> | undefined;
}

/** Tasks that wait for a slot. */
export class TaskQueue<T extends Queued<T>> {
  /** Only those in which something waits. */
  readonly #lanes = new Map<string, Lane<T>>();
  #nextBack = 1;
  #nextFront = -1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** A task that was out comes back before those that were not. */
  addFront(task: T, needs: Needs): void {
    const lane = this.#lane(needs);
    const { first } = lane;
    const place: Place<T> = { task, lane, order: this.#nextFront--, before: undefined, after: first };
    if (first === undefined) lane.last = place;
    else first.before = place;
    lane.first = place;
    this.#put(task, place);
  }

  addBack(task: T, needs: Needs): void {
    const lane = this.#lane(needs);
    const { last } = lane;
    const place: Place<T> = { task, lane, order: this.#nextBack++, before: last, after: undefined };
    if (last === undefined) lane.first = place;
    else last.after = place;
    lane.last = place;
    this.#put(task, place);
  }

  /** Takes a task out; without effect where it does not wait. */
  remove(task: T): void {
    const { place } = task;
    if (place === undefined) return;
    const { lane, before, after } = place;
    if (before === undefined) lane.first = after;
    else before.after = after;
    if (after === undefined) lane.last = before;
    else after.before = before;
    task.place = undefined;
    this.#size -= 1;
    if (lane.first === undefined) this.#lanes.delete(lane.needs.lane);
  }

  /** Begins a pass over what waits, in order of priority and of the lanes' first tasks. */
  draw(): Draw<T> {
    return new Draw(this.#lanes.values());
  }

  /** All that waits, lane by lane. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const lane of this.#lanes.values()) {
      for (let place = lane.first; place !== undefined; place = place.after) yield place.task;
    }
  }

  #put(task: T, place: Place<T>): void {
    if (task.place !== undefined) throw new Error("a task cannot wait twice");
    task.place = place;
    this.#size += 1;
  }

  #lane(needs: Needs): Lane<T> {
    let lane = this.#lanes.get(needs.lane);
    if (lane === undefined) {
      lane = { needs, first: undefined, last: undefined };
      this.#lanes.set(needs.lane, lane);
    }
    return lane;
  }
}

/** One pass over the queue: shows the first task of the first lane that is not blocked. */
export class Draw<T extends Queued<T>> {
  readonly #lanes: Lane<T>[];

  constructor(lanes: Iterable<Lane<T>>) {
    this.#lanes = [...lanes];
  }

  /** The task whose turn it is, and its needs. It is shown again until it is removed or its lane blocked. */
  next(): { readonly task: T; readonly needs: Needs } | undefined {
    let best: Lane<T> | undefined;
    let first: Place<T> | undefined;
    for (const lane of this.#lanes) {
      if (lane.first === undefined) continue;
      if (
        best === undefined || first === undefined || goesBefore(lane.needs, lane.first, best.needs, first)
      ) {
        best = lane;
        first = lane.first;
      }
    }
    return best === undefined || first === undefined ? undefined : { task: first.task, needs: best.needs };
  }

  /** No worker has room for these needs now: the lane is passed over for the rest of this pass. */
  block(needs: Needs): void {
    const index = this.#lanes.findIndex((lane) => lane.needs.lane === needs.lane);
    if (index >= 0) this.#lanes.splice(index, 1);
  }
}

function goesBefore<T>(needs: Needs, first: Place<T>, others: Needs, other: Place<T>): boolean {
  return needs.priority === others.priority ? first.order < other.order : needs.priority > others.priority;
}

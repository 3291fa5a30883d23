/**
 * The queue: tasks that wait for a slot, by priority, then in order.
 *
 * Promise: a task that fits nowhere holds back only those with the same needs. Taking, adding at either end and
 * removing cost the same however many wait.
 *
 * @module
 */
import type { Resources } from "../../shared/model/resources.ts";

/** What the queue must know of what waits in it. */
export interface Queued {
  /** Set by the queue: smaller goes first. */
  order: number;
}

/** What decides where a task can go. Tasks of equal needs stand in one lane. */
export interface Needs {
  readonly priority: number;
  readonly resources: Resources;
  readonly evaluatorKind: string;
}

class Lane<T extends Queued> {
  readonly needs: Needs;
  /** A stack: the last goes first. */
  readonly #front: T[] = [];
  #back: T[] = [];
  #head = 0;
  readonly #removed = new Set<T>();

  constructor(needs: Needs) {
    this.needs = needs;
  }

  get size(): number {
    return this.#front.length + this.#back.length - this.#head - this.#removed.size;
  }

  addFront(task: T): void {
    if (!this.#removed.delete(task)) this.#front.push(task);
    else this.#moveToFront(task);
  }

  addBack(task: T): void {
    if (this.#removed.delete(task)) this.#moveOut(task);
    this.#back.push(task);
  }

  remove(task: T): void {
    this.#removed.add(task);
  }

  peek(): T | undefined {
    for (;;) {
      const task = this.#front.at(-1) ?? this.#back[this.#head];
      if (task === undefined) return undefined;
      if (!this.#removed.delete(task)) return task;
      this.#drop();
    }
  }

  take(): T | undefined {
    const task = this.peek();
    if (task !== undefined) this.#drop();
    return task;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = this.#front.length - 1; i >= 0; i--) yield* this.#present(this.#front[i]);
    for (let i = this.#head; i < this.#back.length; i++) yield* this.#present(this.#back[i]);
  }

  *#present(task: T | undefined): IterableIterator<T> {
    if (task !== undefined && !this.#removed.has(task)) yield task;
  }

  #moveToFront(task: T): void {
    this.#moveOut(task);
    this.#front.push(task);
  }

  /** A task that was removed and comes back while its old place still stands in the list. */
  #moveOut(task: T): void {
    const inFront = this.#front.indexOf(task);
    if (inFront >= 0) this.#front.splice(inFront, 1);
    const inBack = this.#back.indexOf(task, this.#head);
    if (inBack >= 0) this.#back.splice(inBack, 1);
  }

  #drop(): void {
    if (this.#front.length > 0) {
      this.#front.pop();
      return;
    }
    this.#head += 1;
    if (this.#head > 1_024 && this.#head * 2 > this.#back.length) {
      this.#back = this.#back.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** Tasks that wait for a slot. */
export class TaskQueue<T extends Queued> {
  readonly #lanes = new Map<string, Lane<T>>();
  #nextBack = 1;
  #nextFront = -1;

  get size(): number {
    let size = 0;
    for (const lane of this.#lanes.values()) size += lane.size;
    return size;
  }

  get isEmpty(): boolean {
    for (const lane of this.#lanes.values()) if (lane.size > 0) return false;
    return true;
  }

  /** A task that was out comes back before those that were not. */
  addFront(task: T, needs: Needs): void {
    task.order = this.#nextFront--;
    this.#lane(needs).addFront(task);
  }

  addBack(task: T, needs: Needs): void {
    task.order = this.#nextBack++;
    this.#lane(needs).addBack(task);
  }

  /** Takes a waiting task out. The caller knows that it waits. */
  remove(task: T, needs: Needs): void {
    this.#lane(needs).remove(task);
  }

  /** The lanes that hold something, to be drawn from in order of priority and of their first task. */
  draw(): Draw<T> {
    return new Draw([...this.#lanes.values()].filter((lane) => lane.size > 0));
  }

  /** All that waits, lane by lane. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const lane of this.#lanes.values()) yield* lane;
  }

  #lane(needs: Needs): Lane<T> {
    const { cpus, memoryBytes, gpus } = needs.resources;
    const key = `${needs.priority} ${cpus} ${memoryBytes} ${gpus} ${needs.evaluatorKind}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane<T>(needs);
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}

/** One pass over the queue: shows the first task of the first lane that is not blocked. */
export class Draw<T extends Queued> {
  readonly #lanes: Lane<T>[];

  constructor(lanes: Lane<T>[]) {
    this.#lanes = lanes;
  }

  /** The task whose turn it is, and its needs. */
  next(): { readonly task: T; readonly needs: Needs } | undefined {
    let best: Lane<T> | undefined;
    let bestTask: T | undefined;
    for (const lane of this.#lanes) {
      const task = lane.peek();
      if (task === undefined) continue;
      if (best === undefined || bestTask === undefined || goesBefore(lane, task, best, bestTask)) {
        best = lane;
        bestTask = task;
      }
    }
    return best === undefined || bestTask === undefined ? undefined : { task: bestTask, needs: best.needs };
  }

  /** The task that `next` showed has been placed. */
  take(needs: Needs): void {
    this.#lanes.find((lane) => lane.needs === needs)?.take();
  }

  /** No worker has room for these needs now: the lane is passed over for the rest of this pass. */
  block(needs: Needs): void {
    const index = this.#lanes.findIndex((lane) => lane.needs === needs);
    if (index >= 0) this.#lanes.splice(index, 1);
  }
}

function goesBefore<T extends Queued>(lane: Lane<T>, task: T, other: Lane<T>, otherTask: T): boolean {
  if (lane.needs.priority !== other.needs.priority) return lane.needs.priority > other.needs.priority;
  return task.order < otherTask.order;
}

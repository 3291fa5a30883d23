/**
 * The queue: tasks that wait for a slot, by priority, then in fair shares, then in order.
 *
 * Promise: a task that fits nowhere holds back only those with the same needs. Among equals in priority the shares take
 * turns, so that nobody's flood keeps others waiting. Taking, adding at either end and removing cost the same however
 * many wait, and what left the queue is not kept by it.
 * Not here: how long a turn is and what else takes turns (the cluster).
 *
 * @module
 */
import { Lane, type Needs, type Place, type Queued, type Share, Strand } from "./lane.ts";

export { type Needs, needs, type Place, type Queued, type Share } from "./lane.ts";

/** Tasks that wait for a slot. */
export class TaskQueue<T extends Queued<T>> {
  /** Only those in which something waits. */
  readonly #lanes = new Map<string, Lane<T>>();
  /** Those of which something waits, and those that are pinned. */
  readonly #shares = new Map<string, Share<T>>();
  #nextBack = 1;
  #nextFront = -1;
  #lastTurn = 0;
  #firstTurn = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** In how many lanes something waits. */
  get laneCount(): number {
    return this.#lanes.size;
  }

  /** Whether something waits in the lane of these needs. */
  hasLane({ lane }: Pick<Needs, "lane">): boolean {
    return this.#lanes.has(lane);
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** A task that was out comes back before those of its share that were not. */
  addFront(task: T, needs: Needs): void {
    const strand = this.#strand(needs);
    const { first } = strand;
    const place: Place<T> = { task, strand, order: this.#nextFront--, before: undefined, after: first };
    if (first === undefined) strand.last = place;
    else first.before = place;
    strand.first = place;
    this.#put(task, place);
  }

  addBack(task: T, needs: Needs): void {
    const strand = this.#strand(needs);
    const { last } = strand;
    const place: Place<T> = { task, strand, order: this.#nextBack++, before: last, after: undefined };
    if (last === undefined) strand.first = place;
    else last.after = place;
    strand.last = place;
    this.#put(task, place);
  }

  /** Takes a task out; without effect where it does not wait. */
  remove(task: T): void {
    const { place } = task;
    if (place === undefined) return;
    const { strand, before, after } = place;
    if (before === undefined) strand.first = after;
    else before.after = after;
    if (after === undefined) strand.last = before;
    else after.before = before;
    task.place = undefined;
    this.#size -= 1;
    strand.size -= 1;
    if (strand.first === undefined) this.#drop(strand);
  }

  /** A share that keeps its turn also while nothing of it waits; to be given back by `unpin`. */
  pin(name: string): Share<T> {
    const share = this.#share(name);
    share.pins += 1;
    return share;
  }

  unpin(share: Share<T>): void {
    share.pins -= 1;
    this.#forget(share);
  }

  /** Something of a share was given a slot. @param turnTasks how many are given in one turn before others have theirs */
  charge(share: Share<T>, turnTasks: number): void {
    share.left = (share.left > 0 ? share.left : turnTasks) - 1;
    if (share.left > 0) return;
    share.turn = ++this.#lastTurn;
    for (const strand of share.strands) strand.lane.moveLast(strand);
  }

  /** Turns that a share was charged for before its tasks came: they go first among equals. */
  prepay(share: Share<T>, tasks: number): void {
    share.left += tasks;
    share.turn = --this.#firstTurn;
    for (const strand of share.strands) strand.lane.moveFirst(strand);
  }

  /** Begins a pass over what waits, in order of priority and of turns. */
  draw(): Draw<T> {
    return new Draw(this.#lanes.values());
  }

  /** How many wait before the others by their priority alone. */
  sizeAbove(priority: number): number {
    let size = 0;
    for (const lane of this.#lanes.values()) {
      if (lane.priority > priority) { for (const strand of lane) size += strand.size; }
    }
    return size;
  }

  /** All that waits, lane by lane. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const lane of this.#lanes.values()) {
      for (const strand of lane) {
        for (let place = strand.first; place !== undefined; place = place.after) yield place.task;
      }
    }
  }

  #put(task: T, place: Place<T>): void {
    if (task.place !== undefined) throw new Error("a task cannot wait twice");
    task.place = place;
    this.#size += 1;
    place.strand.size += 1;
  }

  #strand(needs: Needs): Strand<T> {
    let lane = this.#lanes.get(needs.lane);
    if (lane === undefined) {
      lane = new Lane(needs.lane, needs.priority);
      this.#lanes.set(needs.lane, lane);
    }
    let strand = lane.strands.get(needs.share);
    if (strand === undefined) {
      strand = new Strand(lane, this.#share(needs.share), needs);
      lane.add(strand);
    }
    return strand;
  }

  #drop(strand: Strand<T>): void {
    const { lane, share } = strand;
    lane.drop(strand);
    if (lane.first === undefined) this.#lanes.delete(lane.name);
    this.#forget(share);
  }

  /** Who comes new has its turn after those that wait already. */
  #share(name: string): Share<T> {
    let share = this.#shares.get(name);
    if (share === undefined) {
      share = { name, turn: ++this.#lastTurn, left: 0, pins: 0, strands: [] };
      this.#shares.set(name, share);
    }
    return share;
  }

  #forget(share: Share<T>): void {
    if (share.pins === 0 && share.strands.length === 0) this.#shares.delete(share.name);
  }
}

/** What is next in a pass. */
export interface Next<T> {
  readonly task: T;
  readonly needs: Needs;
  readonly share: Share<T>;
}

/** One pass over the queue: shows the first task of the lane whose turn it is and that is not blocked. */
export class Draw<T extends Queued<T>> {
  readonly #lanes: Lane<T>[];

  constructor(lanes: Iterable<Lane<T>>) {
    this.#lanes = [...lanes];
  }

  /** The task whose turn it is. It is shown again until it is removed, its share charged or its lane blocked. */
  next(): Next<T> | undefined {
    let best: Place<T> | undefined;
    for (const lane of this.#lanes) {
      const place = lane.first?.first;
      if (place !== undefined && (best === undefined || goesBefore(place, best))) best = place;
    }
    return best === undefined
      ? undefined
      : { task: best.task, needs: best.strand.needs, share: best.strand.share };
  }

  /** No worker has room for these needs now: the lane is passed over for the rest of this pass. */
  block(needs: Pick<Needs, "lane">): void {
    const index = this.#lanes.findIndex((lane) => lane.name === needs.lane);
    if (index >= 0) this.#lanes.splice(index, 1);
  }
}

function goesBefore<T>(a: Place<T>, b: Place<T>): boolean {
  const { lane, share } = a.strand;
  const { lane: otherLane, share: other } = b.strand;
  if (lane.priority !== otherLane.priority) return lane.priority > otherLane.priority;
  return share === other ? a.order < b.order : share.turn < other.turn;
}

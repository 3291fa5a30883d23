/**
 * Lanes: tasks of equal needs, by whose they are and whose turn it is.
 *
 * Promise: the strands of a lane stand in the order of their shares' turns; giving a turn costs the same however many
 * shares there are.
 * Not here: the order of lanes, and how turns are given (queue.ts).
 *
 * @module
 */
import { needsNothing, type Resources } from "../../shared/model/resources.ts";

/** What the queue needs of what waits in it. */
export interface Queued<T> {
  /** Where it waits: the queue's own. */
  place: Place<T> | undefined;
}

/** What decides where and when a task can go. */
export interface Needs {
  readonly priority: number;
  readonly resources: Resources;
  readonly evaluatorKind: string;
  /** Only a worker that has so long left. */
  readonly minTimeMs: number;
  /** A slot of any worker with the executor will do. */
  readonly isPlain: boolean;
  /** Tasks of equal needs wait in one lane: its name. */
  readonly lane: string;
  /** With whose tasks it shares its turns: the name of a submission, or an experiment. */
  readonly share: string;
}

/** The needs of tasks; made once for all tasks that share them. @param minTimeMs how long a worker must have left */
export function needs(
  priority: number,
  resources: Resources,
  evaluatorKind: string,
  share: string,
  minTimeMs = 0,
): Needs {
  const { cpus, memoryBytes, gpus, gpuMemoryBytes = 0, labels = [] } = resources;
  const amounts = `${cpus} ${memoryBytes} ${gpus} ${gpuMemoryBytes} ${minTimeMs}`;
  const lane = `${priority} ${amounts} ${evaluatorKind} ${labels.toSorted().join(" ")}`;
  const isPlain = needsNothing(resources) && labels.length === 0 && minTimeMs === 0;
  return { priority, resources, evaluatorKind, minTimeMs, isPlain, lane, share };
}

/** What takes turns with others of its priority: all tasks of one submission's name, or one experiment. */
export interface Share<T> {
  readonly name: string;
  /** Smaller goes first; no two shares have the same. */
  turn: number;
  /** How many more tasks it may give in its present turn. */
  left: number;
  /** How many want it kept although nothing of it waits. */
  pins: number;
  /** One in each lane in which it waits: mostly one. */
  readonly strands: Strand<T>[];
}

/** A task's place in its strand. */
export interface Place<T> {
  readonly task: T;
  readonly strand: Strand<T>;
  /** Smaller goes first. */
  readonly order: number;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

/** The tasks of one share in one lane, in order. */
export class Strand<T> {
  readonly lane: Lane<T>;
  readonly share: Share<T>;
  readonly needs: Needs;
  first: Place<T> | undefined;
  last: Place<T> | undefined;
  size = 0;
  /** Its neighbours in the lane. */
  before: Strand<T> | undefined;
  after: Strand<T> | undefined;

  constructor(lane: Lane<T>, share: Share<T>, needs: Needs) {
    this.lane = lane;
    this.share = share;
    this.needs = needs;
  }
}

/** Tasks of equal needs, by their shares. */
export class Lane<T> {
  readonly name: string;
  readonly priority: number;
  readonly strands = new Map<string, Strand<T>>();
  first: Strand<T> | undefined;
  last: Strand<T> | undefined;

  constructor(name: string, priority: number) {
    this.name = name;
    this.priority = priority;
  }

  *[Symbol.iterator](): IterableIterator<Strand<T>> {
    for (let strand = this.first; strand !== undefined; strand = strand.after) yield strand;
  }

  /** Gives a new strand its place: the last, unless its share has waited for long elsewhere. */
  add(strand: Strand<T>): void {
    const { share } = strand;
    let before = this.last;
    while (before !== undefined && before.share.turn > share.turn) before = before.before;
    this.#insert(strand, before);
    this.strands.set(share.name, strand);
    share.strands.push(strand);
  }

  drop(strand: Strand<T>): void {
    const { share } = strand;
    this.strands.delete(share.name);
    this.#unlink(strand);
    share.strands.splice(share.strands.indexOf(strand), 1);
  }

  moveLast(strand: Strand<T>): void {
    if (this.last === strand) return;
    this.#unlink(strand);
    this.#insert(strand, this.last);
  }

  moveFirst(strand: Strand<T>): void {
    if (this.first === strand) return;
    this.#unlink(strand);
    this.#insert(strand, undefined);
  }

  /** Puts a strand after another one; first, where there is none. */
  #insert(strand: Strand<T>, before: Strand<T> | undefined): void {
    const after = before === undefined ? this.first : before.after;
    strand.before = before;
    strand.after = after;
    if (before === undefined) this.first = strand;
    else before.after = strand;
    if (after === undefined) this.last = strand;
    else after.before = strand;
  }

  #unlink({ before, after }: Strand<T>): void {
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
  }
}

/**
 * What supervisors promise, written a second time without actors or messages: each event changes the tree at once.
 *
 * @module
 */
import type { Restart, Strategy } from "../../shared/actor/supervisor.ts";

/** A worker, or a supervisor of others. */
export interface TreeSpec {
  readonly name: string;
  readonly restart: Restart;
  /** Absent for a worker. */
  readonly supervises?: Supervision;
}

/** How a supervisor of the tree supervises. */
export interface Supervision {
  readonly strategy: Strategy;
  readonly restarts: number;
  readonly windowMs: number;
  readonly backoffMs: number;
  readonly drops: boolean;
  readonly children: readonly TreeSpec[];
}

/** The longest back-off of every supervisor of the tree. */
export const BACKOFF_MS_MAX = 300;

/** One life, or a child that waits for its next one. */
export interface ModelNode {
  readonly spec: TreeSpec;
  readonly path: string;
  readonly parent: ModelNode | undefined;
  children: ModelNode[];
  alive: boolean;
  /** Counts starts: what is killed goes in the reverse order of starts, what is stopped in that of the children. */
  startedAs: number;
  dueMs: number;
  failuresAtMs: number[];
  /** Of its children, all together. */
  childFailuresAtMs: number[];
  restarts: number;
}

/** A tree of supervisors as the promises have it. */
export class SupervisorModel {
  readonly root: ModelNode;
  /** `start path` and `end path` of workers, in order. */
  readonly trace: string[] = [];
  nowMs = 0;
  #starts = 0;

  constructor(root: TreeSpec) {
    this.root = node(root, undefined);
    this.#start(this.root);
  }

  /** All that live, in the order of the tree. */
  living(from: ModelNode = this.root): ModelNode[] {
    return from.alive ? [from, ...from.children.flatMap((child) => this.living(child))] : [];
  }

  /** Lets time pass: restarts whose wait is over happen in their order. */
  advance(toMs: number): void {
    for (let next = this.#nextDue(toMs); next !== undefined; next = this.#nextDue(toMs)) {
      this.nowMs = next.dueMs;
      if (next.parent !== undefined) this.#startDue(next.parent);
    }
    this.nowMs = toMs;
  }

  /** A life ends by itself. */
  end(ended: ModelNode, how: "normal" | "crashed" | "killed"): void {
    this.#kill(ended);
    const { parent, spec } = ended;
    if (parent === undefined) return;
    const failed = spec.restart === "permanent" || (spec.restart === "transient" && how !== "normal");
    if (failed) this.#fail(parent, ended);
    else forget(ended);
  }

  add(parent: ModelNode, spec: TreeSpec): void {
    if (parent.children.some((child) => child.spec.name === spec.name)) return;
    const waiting = parent.children.findLast((child) => !child.alive);
    const added = node(spec, parent);
    parent.children.push(added);
    if (waiting !== undefined && parent.spec.supervises?.strategy === "rest_for_one") {
      added.dueMs = waiting.dueMs;
    } else this.#start(added);
  }

  /** An operator stops a child, or the whole tree. */
  stop(stopped: ModelNode): void {
    this.#stop(stopped);
    forget(stopped);
  }

  #fail(parent: ModelNode, child: ModelNode): void {
    const rules = parent.spec.supervises;
    if (rules === undefined) return;
    const recent = (
      times: number[],
    ) => [...times.filter((at) => at > this.nowMs - rules.windowMs), this.nowMs];
    child.failuresAtMs = recent(child.failuresAtMs);
    parent.childFailuresAtMs = recent(parent.childFailuresAtMs);
    const from = parent.children.indexOf(child);
    const affected = rules.strategy === "rest_for_one" ? parent.children.slice(from) : [child];
    if ((rules.drops ? child.failuresAtMs : parent.childFailuresAtMs).length > rules.restarts) {
      if (!rules.drops) return this.end(parent, "crashed");
      for (const each of affected.toReversed()) {
        this.#kill(each);
        forget(each);
      }
      return;
    }
    parent.restarts += 1;
    const delayMs = Math.min(BACKOFF_MS_MAX, rules.backoffMs * 2 ** (child.failuresAtMs.length - 1));
    for (const each of affected.toReversed()) {
      if (each.alive && each.spec.restart === "temporary") forget(each);
      this.#kill(each);
      each.dueMs = Math.max(each.dueMs, this.nowMs + delayMs);
    }
    this.#startDue(parent);
  }

  #startDue(parent: ModelNode): void {
    for (const child of parent.children) {
      if (child.alive) continue;
      if (child.dueMs <= this.nowMs) this.#start(child);
      else if (parent.spec.supervises?.strategy === "rest_for_one") return;
    }
  }

  #nextDue(toMs: number): ModelNode | undefined {
    return this.living().flatMap((each) => each.children)
      .filter((child) => !child.alive && child.dueMs <= toMs)
      .toSorted((a, b) => a.dueMs - b.dueMs)[0];
  }

  #start(started: ModelNode): void {
    started.alive = true;
    started.startedAs = this.#starts++;
    started.restarts = 0;
    started.childFailuresAtMs = [];
    started.children = (started.spec.supervises?.children ?? []).map((spec) => node(spec, started));
    if (started.spec.supervises === undefined) this.trace.push(`start ${started.path}`);
    for (const child of started.children) this.#start(child);
  }

  #kill(killed: ModelNode): void {
    if (!killed.alive) return;
    for (const child of killed.children.toSorted((a, b) => b.startedAs - a.startedAs)) this.#kill(child);
    this.#ended(killed);
  }

  #stop(stopped: ModelNode): void {
    if (!stopped.alive) return;
    for (const child of stopped.children.toReversed()) this.#stop(child);
    this.#ended(stopped);
  }

  #ended(ended: ModelNode): void {
    ended.alive = false;
    if (ended.spec.supervises === undefined) this.trace.push(`end ${ended.path}`);
  }
}

function forget(node: ModelNode): void {
  if (node.parent !== undefined) {
    node.parent.children = node.parent.children.filter((child) => child !== node);
  }
}

function node(spec: TreeSpec, parent: ModelNode | undefined): ModelNode {
  const path = parent === undefined ? spec.name : `${parent.path}/${spec.name}`;
  const times = { dueMs: 0, failuresAtMs: [], childFailuresAtMs: [] };
  return { spec, path, parent, children: [], alive: false, startedAs: 0, restarts: 0, ...times };
}

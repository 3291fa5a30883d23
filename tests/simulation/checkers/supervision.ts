/**
 * Watches the lives of actors: who restarts how often, and who begins after whom.
 *
 * @module
 */
import type { LogFields } from "../../../shared/actor/actor.ts";
import type { ActorView } from "../../../shared/actor/system.ts";
import type { Findings } from "../findings.ts";

/** Every supervisor of the product allows so many restarts in this window. */
const RESTARTS_MAX = 5;
const WINDOW_MS = 60_000;

/** The children of `rest_for_one` supervisors by the name of the supervisor: each depends on those before it. */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  master: ["store", "cluster", "experiments", "registrar", "gateway"],
  gateway: ["feed", "commands", "sessions", "door"],
  worker: ["outbox", "slots", "link", "vitals"],
};

/** The restarts of one life of a process. */
export class Restarts {
  readonly #findings: Findings;
  readonly #node: string;
  /** By supervisor and, where each child counts by itself, by child. */
  readonly #atMs = new Map<string, number[]>();

  constructor(findings: Findings, node: string) {
    this.#findings = findings;
    this.#node = node;
  }

  /** A supervisor said that it restarts a child. */
  restarted(path: string, child: string, nowMs: number, fields: LogFields): void {
    const key = path.endsWith("/experiments") ? `${path}/${child}` : path;
    const atMs = [...this.#atMs.get(key) ?? [], nowMs].filter((each) => each > nowMs - WINDOW_MS);
    this.#atMs.set(key, atMs);
    this.#findings.expect(
      "supervision",
      atMs.length <= RESTARTS_MAX && Number(fields["restarts"]) <= RESTARTS_MAX,
      () => `${this.#node}: ${path} restarts for the ${atMs.length}th time within ${WINDOW_MS} ms`,
    );
  }
}

/** All supervisors of a run. */
export class Supervision {
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** A process begins. */
  begin(node: string): Restarts {
    return new Restarts(this.#findings, node);
  }

  /** Whoever depends on another began after it: ids rise in the order of the tree. */
  look(node: string, view: ActorView | undefined): void {
    if (view === undefined) return;
    const order = ORDER[view.name];
    if (order !== undefined) this.#checkOrder(node, view, order);
    for (const child of view.children) this.look(node, child);
  }

  #checkOrder(node: string, view: ActorView, order: readonly string[]): void {
    const ids = order.map((name) => view.children.find((child) => child.name === name)?.id);
    const living = ids.filter((id) => id !== undefined);
    const firstMissing = ids.indexOf(undefined);
    const hasGap = firstMissing >= 0 && living.length > firstMissing;
    const rises = living.every((id, index) => index === 0 || id > (living[index - 1] ?? 0));
    this.#findings.expect(
      "supervision",
      rises && !hasGap,
      () =>
        `${node}: below ${view.path} live ${view.children.map(({ name, id }) => `${name}:${id}`).join(", ")}`,
    );
  }
}

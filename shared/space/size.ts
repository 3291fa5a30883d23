/**
 * How many candidates a space has.
 *
 * @module
 */
import { type GroupNode, isActive, type Member, type Scope, type SpaceNode } from "./node.ts";
import type { Scalar } from "./parameter.ts";
import type { Value } from "./candidate.ts";

/** Combinations of values that conditions look at are counted one by one, up to here: a few milliseconds. */
const COMBINATIONS_MAX = 100_000;

/** The number of candidates; Infinity where a real is free, or where conditions make it too long to count. */
export function countCandidates(group: GroupNode): number {
  const count = new Count(lookedAt(group));
  const size = count.ofGroup(group, undefined);
  return count.isGivenUp || Number.isNaN(size) ? Infinity : size;
}

class Count {
  isGivenUp = false;
  #combinations = 0;

  constructor(private readonly lookedAt: ReadonlyMap<Member, ReadonlySet<Scalar>>) {}

  ofGroup(group: GroupNode, outer: Scope | undefined): number {
    return this.#ofMembers(group, 0, {}, outer);
  }

  #ofMembers(
    group: GroupNode,
    index: number,
    values: Record<string, Value>,
    outer: Scope | undefined,
  ): number {
    const member = group.members[index];
    if (member === undefined) return 1;
    const scope = { values, outer };
    if (!isActive(member, scope)) return this.#ofMembers(group, index + 1, values, outer);
    const looked = this.lookedAt.get(member);
    if (looked === undefined) {
      const own = this.#ofNode(member.node, scope);
      return own === 0 ? 0 : own * this.#ofMembers(group, index + 1, values, outer);
    }
    let sum = 0;
    for (const [key, count] of this.#split(member.node, looked, scope)) {
      if (++this.#combinations > COMBINATIONS_MAX) this.isGivenUp = true;
      if (this.isGivenUp) return Infinity;
      sum += count * this.#ofMembers(group, index + 1, { ...values, [member.name]: key }, outer);
    }
    return sum;
  }

  /** The values that conditions tell apart, each with its number of candidates; all others together. */
  #split(node: SpaceNode, looked: ReadonlySet<Scalar>, scope: Scope): readonly (readonly [Scalar, number])[] {
    if (node.type === "integer") {
      const others = node.count - looked.size;
      const each = [...looked].map((key) => [key, 1] as const);
      return others > 0 ? [...each, [NO_KEY, others]] : each;
    }
    if (node.type !== "choice") return [[NO_KEY, this.#ofNode(node, scope)]];
    return node.options.map(({ key, of }) => [key, of === undefined ? 1 : this.ofGroup(of, scope)]);
  }

  #ofNode(node: SpaceNode, scope: Scope): number {
    switch (node.type) {
      case "choice":
        return node.options.reduce(
          (sum, { of }) => sum + (of === undefined ? 1 : this.ofGroup(of, scope)),
          0,
        );
      case "integer":
        return node.count;
      case "real":
        return node.min === node.max ? 1 : Infinity;
      case "repeat": {
        const each = this.#ofNode(node.of, scope);
        let sum = 0;
        for (let length = node.min; length <= node.max; length++) sum += each ** length;
        return sum;
      }
      case "optional":
        return 1 + this.#ofNode(node.of, scope);
      case "group":
        return this.ofGroup(node, scope);
    }
  }
}

/** A key that no condition names, since names and integers are never empty. */
const NO_KEY = "";

/** The members that conditions look at, with the values that they ask for. */
function lookedAt(root: GroupNode): ReadonlyMap<Member, ReadonlySet<Scalar>> {
  const found = new Map<Member, Set<Scalar>>();
  visit(root, []);
  return found;

  function visit(node: SpaceNode, around: readonly GroupNode[]): void {
    if (node.type === "choice") node.options.forEach(({ of }) => of !== undefined && visit(of, around));
    if (node.type === "repeat" || node.type === "optional") visit(node.of, around);
    if (node.type !== "group") return;
    const groups = [node, ...around];
    for (const { node: inner, condition } of node.members) {
      visit(inner, groups);
      const looked = groups[condition?.outwards ?? 0]?.members.find(({ name }) =>
        name === condition?.parameter
      );
      if (condition === undefined || looked === undefined) continue;
      const values = found.get(looked) ?? new Set<Scalar>();
      found.set(looked, values);
      condition.values.forEach((value) => values.add(value));
    }
  }
}

/**
 * Mutation: a candidate like another one, with some of its values changed.
 *
 * A gene is one value chosen: an option, a number, the length of a list, whether an optional part is there.
 * What a gene opens is drawn anew; what it closes is dropped.
 *
 * @module
 */
import type { Random } from "../actor/random.ts";
import type { Candidate, Value } from "./candidate.ts";
import {
  type ChoiceNode,
  type GroupNode,
  type IntegerNode,
  isActive,
  isCandidate,
  isList,
  memberOf,
  optionOf,
  type RealNode,
  type RepeatNode,
  type Scope,
  type SpaceNode,
} from "./node.ts";
import { fromUnit, toUnit } from "./number_range.ts";
import { sampleNode, sampleOption } from "./sample.ts";

/** How far a number moves: the standard deviation of a step, as a part of the parameter's whole scale. */
export const STEP_DEVIATION = 0.2;

/**
 * A mutated copy.
 *
 * @param rate the probability of each gene to change
 * @param atLeastOne whether one gene, drawn evenly, changes in any case
 */
export function mutateGroup(
  group: GroupNode,
  candidate: Candidate,
  random: Random,
  rate: number,
  atLeastOne: boolean,
): Candidate {
  const genes = atLeastOne ? genesOf(group, candidate) : 0;
  const certain = genes > 0 ? random.integer(genes) : -1;
  let gene = 0;
  const strikes = () => {
    const isCertain = gene === certain;
    gene += 1;
    return random.next() < rate || isCertain;
  };
  return mutateMembers(group, candidate, { random, strikes }, undefined);
}

interface Mutation {
  readonly random: Random;
  /** Whether the next gene changes. */
  strikes(): boolean;
}

function mutateMembers(
  group: GroupNode,
  candidate: Candidate,
  mutation: Mutation,
  outer: Scope | undefined,
): Candidate {
  const values: Record<string, Value> = {};
  const scope = { values, outer };
  for (const member of group.members) {
    if (!isActive(member, scope)) continue;
    const value = memberOf(candidate, member.name);
    values[member.name] = value === undefined
      ? sampleNode(member.node, mutation.random, scope)
      : mutateNode(member.node, value, mutation, scope);
  }
  return values;
}

function mutateNode(node: SpaceNode, value: Value, mutation: Mutation, scope: Scope | undefined): Value {
  switch (node.type) {
    case "choice":
      return mutateChoice(node, value, mutation, scope);
    case "integer":
    case "real":
      return isFixed(node) || !mutation.strikes() || typeof value !== "number"
        ? value
        : stepped(node, value, mutation.random);
    case "repeat":
      return mutateList(node, isList(value) ? value : [], mutation, scope);
    case "optional":
      if (mutation.strikes()) return value === null ? sampleNode(node.of, mutation.random, scope) : null;
      return value === null ? null : mutateNode(node.of, value, mutation, scope);
    case "group":
      return isCandidate(value) ? mutateMembers(node, value, mutation, scope) : value;
  }
}

function mutateChoice(node: ChoiceNode, value: Value, mutation: Mutation, scope: Scope | undefined): Value {
  const chosen = optionOf(node, value);
  if (!isFixed(node) && mutation.strikes()) {
    const others = node.options.filter((option) => option !== chosen);
    return sampleOption(mutation.random.pick(others), mutation.random, scope);
  }
  if (chosen?.of === undefined || !isCandidate(value)) return value;
  const name = String(chosen.key);
  const inner = memberOf(value, name);
  return isCandidate(inner) ? { [name]: mutateMembers(chosen.of, inner, mutation, scope) } : value;
}

function mutateList(
  node: RepeatNode,
  value: readonly Value[],
  mutation: Mutation,
  scope: Scope | undefined,
): Value {
  const { random } = mutation;
  const changesLength = !isFixed(node) && mutation.strikes();
  const items = value.map((item) => mutateNode(node.of, item, mutation, scope));
  if (!changesLength) return items;
  const grows = items.length <= node.min || (items.length < node.max && random.next() < 0.5);
  if (grows) items.splice(random.integer(items.length + 1), 0, sampleNode(node.of, random, scope));
  else items.splice(random.integer(items.length), 1);
  return items;
}

function stepped(node: IntegerNode | RealNode, value: number, random: Random): number {
  const step = random.normal() * STEP_DEVIATION;
  const moved = fromUnit(node, reflected(toUnit(node, value) + step));
  if (moved !== value || node.type === "real") return moved;
  const isUp = value === node.min || (step > 0 && value < node.min + (node.count - 1) * node.step);
  return isUp ? value + node.step : value - node.step;
}

/** A place beyond an end of [0, 1], mirrored back into it, so that the ends are not crowded. */
function reflected(unit: number): number {
  const folded = Math.abs(unit) % 2;
  return folded > 1 ? 2 - folded : folded;
}

function isFixed(node: ChoiceNode | IntegerNode | RealNode | RepeatNode): boolean {
  switch (node.type) {
    case "choice":
      return node.options.length === 1;
    case "integer":
      return node.count === 1;
    case "real":
    case "repeat":
      return node.min === node.max;
  }
}

function genesOf(node: SpaceNode, value: Value): number {
  switch (node.type) {
    case "choice": {
      const of = optionOf(node, value)?.of;
      const inner = isCandidate(value) ? Object.values(value)[0] : undefined;
      return (isFixed(node) ? 0 : 1) + (of === undefined || inner === undefined ? 0 : genesOf(of, inner));
    }
    case "integer":
    case "real":
      return isFixed(node) ? 0 : 1;
    case "repeat": {
      const items = isList(value) ? value : [];
      return items.reduce<number>((sum, item) => sum + genesOf(node.of, item), isFixed(node) ? 0 : 1);
    }
    case "optional":
      return 1 + (value === null ? 0 : genesOf(node.of, value));
    case "group": {
      if (!isCandidate(value)) return 0;
      let sum = 0;
      for (const member of node.members) {
        const inner = memberOf(value, member.name);
        if (inner !== undefined) sum += genesOf(member.node, inner);
      }
      return sum;
    }
  }
}

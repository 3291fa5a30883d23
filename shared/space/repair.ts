/**
 * The closest candidate to something that is almost one: numbers are moved into range and onto their step, lists
 * cut or filled, what has no place is dropped, what is missing is drawn.
 *
 * @module
 */
import type { Random } from "../actor/random.ts";
import type { Candidate, Value } from "./candidate.ts";
import { type ChoiceNode, type GroupNode, isActive, type Scope, type SpaceNode } from "./node.ts";
import { nearest } from "./number_range.ts";
import { isRecord } from "./problem.ts";
import { sampleNode, sampleOption } from "./sample.ts";

/** A candidate of the group. One that is valid already comes back equal. */
export function repairGroup(group: GroupNode, given: unknown, random: Random, outer?: Scope): Candidate {
  const values: Record<string, Value> = {};
  const scope = { values, outer };
  for (const member of group.members) {
    if (!isActive(member, scope)) continue;
    const value = isRecord(given) && Object.hasOwn(given, member.name) ? given[member.name] : undefined;
    values[member.name] = repairNode(member.node, value, random, scope);
  }
  return values;
}

function repairNode(node: SpaceNode, value: unknown, random: Random, scope: Scope | undefined): Value {
  switch (node.type) {
    case "choice":
      return repairChoice(node, value, random, scope);
    case "integer":
    case "real":
      return typeof value === "number" && !Number.isNaN(value)
        ? nearest(node, value)
        : sampleNode(node, random, scope);
    case "repeat": {
      if (!Array.isArray(value)) return sampleNode(node, random, scope);
      const length = Math.min(node.max, Math.max(node.min, value.length));
      return Array.from({ length }, (_, index) => repairNode(node.of, value[index], random, scope));
    }
    case "optional":
      if (value === null) return null;
      return value === undefined
        ? sampleNode(node, random, scope)
        : repairNode(node.of, value, random, scope);
    case "group":
      return repairGroup(node, value, random, scope);
  }
}

function repairChoice(node: ChoiceNode, value: unknown, random: Random, scope: Scope | undefined): Value {
  const name = isRecord(value) ? Object.keys(value)[0] : undefined;
  for (const option of node.options) {
    if (option.of === undefined) {
      if (option.key === value) return option.key;
    } else if (isRecord(value) && name !== undefined && option.key === name) {
      return { [name]: repairGroup(option.of, value[name], random, scope) };
    }
  }
  return sampleOption(closestNumber(node, value) ?? random.pick(node.options), random, scope);
}

function closestNumber(node: ChoiceNode, value: unknown): ChoiceNode["options"][number] | undefined {
  if (typeof value !== "number" || Number.isNaN(value)) return undefined;
  const distance = (key: unknown) => typeof key === "number" ? Math.abs(key - value) : Infinity;
  const closest = node.options.toSorted((a, b) => distance(a.key) - distance(b.key))[0];
  return typeof closest?.key === "number" ? closest : undefined;
}

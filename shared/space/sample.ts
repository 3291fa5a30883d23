/**
 * Candidates drawn at random.
 *
 * @module
 */
import type { Random } from "../actor/random.ts";
import type { Candidate, Value } from "./candidate.ts";
import { type GroupNode, isActive, type OptionNode, type Scope, type SpaceNode } from "./node.ts";
import { fromUnit } from "./number_range.ts";

/** A value of a part: options equally often, numbers evenly on their scale, lengths equally often. */
export function sampleNode(node: SpaceNode, random: Random, scope: Scope | undefined): Value {
  switch (node.type) {
    case "choice":
      return sampleOption(random.pick(node.options), random, scope);
    case "integer":
    case "real":
      return fromUnit(node, random.next());
    case "repeat": {
      const length = node.min + random.integer(node.max - node.min + 1);
      return Array.from({ length }, () => sampleNode(node.of, random, scope));
    }
    case "optional":
      return random.next() < 0.5 ? null : sampleNode(node.of, random, scope);
    case "group":
      return sampleGroup(node, random, scope);
  }
}

/** The values of a group, of the members that take part. */
export function sampleGroup(group: GroupNode, random: Random, outer: Scope | undefined): Candidate {
  const values: Record<string, Value> = {};
  const scope = { values, outer };
  for (const member of group.members) {
    if (isActive(member, scope)) values[member.name] = sampleNode(member.node, random, scope);
  }
  return values;
}

/** An option as it stands in a candidate, its own parameters drawn. */
export function sampleOption(option: OptionNode, random: Random, scope: Scope | undefined): Value {
  if (option.of === undefined) return option.key;
  return { [String(option.key)]: sampleGroup(option.of, random, scope) };
}

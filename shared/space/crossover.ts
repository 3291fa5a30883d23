/**
 * Uniform crossover: a candidate whose every value comes from one of two parents.
 *
 * Source: Syswerda (1989), "Uniform crossover in genetic algorithms", ICGA 3; carried over to nested and
 * conditional parameters: parts that both parents have are crossed inside, others go over whole.
 *
 * @module
 */
import type { Random } from "../actor/random.ts";
import type { Candidate, Value } from "./candidate.ts";
import {
  type ChoiceNode,
  type GroupNode,
  isCandidate,
  isList,
  memberOf,
  optionOf,
  type SpaceNode,
} from "./node.ts";
import { repairGroup } from "./repair.ts";

/** A child of two candidates. Where its conditions ask for a value that neither parent has, that value is drawn. */
export function crossover(group: GroupNode, a: Candidate, b: Candidate, random: Random): Candidate {
  return repairGroup(group, crossGroup(group, a, b, random), random);
}

/** Values of either parent, without regard to conditions. */
function crossGroup(group: GroupNode, a: Candidate, b: Candidate, random: Random): Candidate {
  const values: Record<string, Value> = {};
  for (const { name, node } of group.members) {
    const fromA = memberOf(a, name);
    const fromB = memberOf(b, name);
    const value = fromA === undefined || fromB === undefined
      ? fromA ?? fromB
      : crossNode(node, fromA, fromB, random);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function crossNode(node: SpaceNode, a: Value, b: Value, random: Random): Value {
  switch (node.type) {
    case "choice":
      return crossChoice(node, a, b, random);
    case "repeat":
      if (isList(a) && isList(b)) return crossList(node.of, a, b, random);
      break;
    case "optional":
      if (a !== null && b !== null) return crossNode(node.of, a, b, random);
      break;
    case "group":
      if (isCandidate(a) && isCandidate(b)) return crossGroup(node, a, b, random);
      break;
    case "integer":
    case "real":
      break;
  }
  return either(a, b, random);
}

function crossChoice(node: ChoiceNode, a: Value, b: Value, random: Random): Value {
  const option = optionOf(node, a);
  if (option?.of === undefined || option !== optionOf(node, b) || !isCandidate(a) || !isCandidate(b)) {
    return either(a, b, random);
  }
  const name = String(option.key);
  const innerA = memberOf(a, name);
  const innerB = memberOf(b, name);
  if (!isCandidate(innerA) || !isCandidate(innerB)) return either(a, b, random);
  return { [name]: crossGroup(option.of, innerA, innerB, random) };
}

/** As long as one of the parents; beyond the shorter one, the longer one's items. */
function crossList(node: SpaceNode, a: readonly Value[], b: readonly Value[], random: Random): Value {
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  return either(shorter, longer, random).map((item, index) => {
    const other = shorter[index];
    const own = longer[index];
    return other === undefined || own === undefined ? item : crossNode(node, other, own, random);
  });
}

function either<T>(a: T, b: T, random: Random): T {
  return random.next() < 0.5 ? a : b;
}

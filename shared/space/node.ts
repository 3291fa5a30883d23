/**
 * The compiled form of a space: a tree of nodes in which every condition is resolved, so that drawing, checking
 * and varying candidates are short walks.
 *
 * @module
 */
import type { Candidate, Value } from "./candidate.ts";
import type { Scalar } from "./parameter.ts";

/** An option of a choice; `of` where it opens parameters of its own. */
export interface OptionNode {
  readonly key: Scalar;
  readonly of?: GroupNode;
}

/** One of the options. */
export interface ChoiceNode {
  readonly type: "choice";
  readonly options: readonly OptionNode[];
}

/** A whole number: `min + index * step` for an index below `count`. */
export interface IntegerNode {
  readonly type: "integer";
  readonly min: number;
  readonly step: number;
  readonly count: number;
  readonly log: boolean;
}

/** A number in an interval. */
export interface RealNode {
  readonly type: "real";
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
}

/** A list. */
export interface RepeatNode {
  readonly type: "repeat";
  readonly min: number;
  readonly max: number;
  readonly of: SpaceNode;
}

/** A part or `null`. */
export interface OptionalNode {
  readonly type: "optional";
  readonly of: SpaceNode;
}

/** When a member takes part. */
export interface MemberCondition {
  readonly parameter: string;
  /** How many groups further out the parameter stands; 0 is the member's own group. */
  readonly outwards: number;
  readonly values: ReadonlySet<Scalar>;
}

/** A parameter in its group. */
export interface Member {
  readonly name: string;
  readonly node: SpaceNode;
  readonly condition?: MemberCondition;
}

/** Values by name. A member stands after everything that its condition, or one inside it, looks at. */
export interface GroupNode {
  readonly type: "group";
  readonly members: readonly Member[];
  readonly names: ReadonlySet<string>;
}

/** A part of a space. */
export type SpaceNode = ChoiceNode | IntegerNode | RealNode | RepeatNode | OptionalNode | GroupNode;

/** The values of the groups around a place, as far as they are chosen. */
export interface Scope {
  readonly values: Candidate;
  readonly outer: Scope | undefined;
}

/** Whether a member takes part, given the values chosen before it. */
export function isActive(member: Member, scope: Scope): boolean {
  const condition = member.condition;
  if (condition === undefined) return true;
  let place: Scope | undefined = scope;
  for (let i = 0; i < condition.outwards; i++) place = place?.outer;
  const value = place === undefined ? undefined : memberOf(place.values, condition.parameter);
  return value !== undefined && condition.values.has(keyOf(value));
}

/** A member of a candidate, which may come from anywhere: what objects inherit is not a value. */
export function memberOf(values: Candidate, name: string): Value | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** Whether a value is a group's values or a nested option. */
export function isCandidate(value: Value | undefined): value is Candidate {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a list. */
export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** The option's key that a chosen value stands for. */
export function keyOf(value: Value): Scalar {
  if (isCandidate(value)) return Object.keys(value)[0] ?? "";
  // A list or null can be no option; this key never matches one, names being letters.
  return value === null || isList(value) ? "" : value;
}

/** The option that a chosen value stands for. */
export function optionOf(node: ChoiceNode, value: Value): OptionNode | undefined {
  const isNested = isCandidate(value);
  const key = keyOf(value);
  return node.options.find((option) => option.key === key && (option.of !== undefined) === isNested);
}

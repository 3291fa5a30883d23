/**
 * From parameters as written to the tree of nodes, with the checks that one parameter alone cannot make:
 * bounds, options that repeat, conditions that can never hold.
 *
 * @module
 */
import type { GroupNode, Member, MemberCondition, OptionNode, SpaceNode } from "./node.ts";
import {
  type ChoiceParameter,
  type IntegerParameter,
  isParameter,
  type Parameter,
  type Parameters,
  type RealParameter,
  type Scalar,
} from "./parameter.ts";
import type { Path, Problem, Result } from "./problem.ts";

/** Compiles parameters that have passed `parametersSchema`. */
export function compileParameters(
  parameters: Parameters,
  path: Path = [],
): Result<GroupNode, readonly Problem[]> {
  const problems: Problem[] = [];
  const node = compileGroup(parameters, path, undefined, problems);
  const values = valuesOf(node);
  if (values > VALUES_MAX) {
    problems.push({ path, message: `a candidate could have ${values} values; it may have ${VALUES_MAX}` });
  }
  return problems.length === 0 ? { ok: true, value: node } : { ok: false, error: problems };
}

/** How many values a candidate may have at most: each is drawn, stored and sent, on the master's one thread. */
export const VALUES_MAX = 10_000;

/** The number of values of the largest candidate. */
function valuesOf(node: SpaceNode): number {
  switch (node.type) {
    case "choice":
      return node.options.reduce((most, { of }) => of === undefined ? most : Math.max(most, valuesOf(of)), 1);
    case "repeat":
      return node.max * valuesOf(node.of);
    case "optional":
      return valuesOf(node.of);
    case "group":
      return node.members.reduce((sum, member) => sum + valuesOf(member.node), 0);
    case "integer":
    case "real":
      return 1;
  }
}

/** A group while its members are compiled. */
interface OpenGroup {
  readonly parameters: Parameters;
  /** The member being compiled. */
  current: string;
  /** What each member's conditions, or those inside it, look at in this group. */
  readonly looksAt: Map<string, Set<string>>;
  readonly outer: OpenGroup | undefined;
}

function compileGroup(
  parameters: Parameters,
  path: Path,
  outer: OpenGroup | undefined,
  problems: Problem[],
): GroupNode {
  const open: OpenGroup = { parameters, current: "", looksAt: new Map(), outer };
  const members = Object.entries(parameters).map(([name, parameter]): Member => {
    open.current = name;
    open.looksAt.set(name, new Set());
    const place = [...path, name];
    const condition = compileCondition(parameter, place, open, problems);
    const node = compileNode(parameter, place, open, problems);
    return condition === undefined ? { name, node } : { name, node, condition };
  });
  return {
    type: "group",
    members: inOrder(members, open, path, problems),
    names: new Set(Object.keys(parameters)),
  };
}

function compileNode(parameter: Parameter, path: Path, open: OpenGroup, problems: Problem[]): SpaceNode {
  switch (parameter.type) {
    case "choice":
      return { type: "choice", options: compileOptions(parameter, path, open, problems) };
    case "integer": {
      checkBounds(parameter, path, problems);
      const { min, max, step = 1, log = false } = parameter;
      return { type: "integer", min, step, count: Math.floor((max - min) / step) + 1, log };
    }
    case "real":
      checkBounds(parameter, path, problems);
      return { type: "real", min: parameter.min, max: parameter.max, log: parameter.log ?? false };
    case "repeat": {
      const { min, max } = parameter;
      if (min > max) problems.push({ path, message: `min ${min} is above max ${max}` });
      return { type: "repeat", min, max, of: compilePart(parameter.of, [...path, "of"], open, problems) };
    }
    case "optional":
      if (parameter.of.type === "optional") {
        problems.push({
          path: [...path, "of"],
          message: "an optional part is optional already; leave one of the two out",
        });
      }
      return { type: "optional", of: compilePart(parameter.of, [...path, "of"], open, problems) };
    case "group":
      return compileGroup(parameter.of, [...path, "of"], open, problems);
  }
}

function compilePart(
  of: Parameter | Parameters,
  path: Path,
  open: OpenGroup,
  problems: Problem[],
): SpaceNode {
  if (!isParameter(of)) return compileGroup(of, path, open, problems);
  if (of.when !== undefined) {
    problems.push({
      path: [...path, "when"],
      message: "a condition belongs to a parameter with a name; move it outwards",
    });
  }
  return compileNode(of, path, open, problems);
}

function compileOptions(
  parameter: ChoiceParameter,
  path: Path,
  open: OpenGroup,
  problems: Problem[],
): readonly OptionNode[] {
  const seen = new Set<Scalar>();
  return parameter.options.map((option, index) => {
    const place = [...path, "options", index];
    const key = typeof option === "object" ? option.name : option;
    if (seen.has(key)) {
      problems.push({ path: place, message: `the option ${JSON.stringify(key)} stands twice` });
    }
    seen.add(key);
    return typeof option === "object"
      ? { key, of: compileGroup(option.of, [...place, "of"], open, problems) }
      : { key };
  });
}

function checkBounds(parameter: IntegerParameter | RealParameter, path: Path, problems: Problem[]): void {
  const { min, max } = parameter;
  if (min > max) problems.push({ path, message: `min ${min} is above max ${max}` });
  if (parameter.log === true && min <= 0) {
    problems.push({ path, message: `log needs a min above 0, and min is ${min}` });
  }
}

function compileCondition(
  parameter: Parameter,
  path: Path,
  open: OpenGroup,
  problems: Problem[],
): MemberCondition | undefined {
  const { when } = parameter;
  if (when === undefined) return undefined;
  const place = [...path, "when"];
  const values = when.in ?? (when.equals === undefined ? [] : [when.equals]);
  let outwards = 0;
  let group: OpenGroup | undefined = open;
  while (group !== undefined && !Object.hasOwn(group.parameters, when.parameter)) {
    outwards += 1;
    group = group.outer;
  }
  const looked = group?.parameters[when.parameter];
  if (group === undefined || looked === undefined) {
    problems.push({
      path: place,
      message: `there is no parameter ${when.parameter} beside this one or around it`,
    });
    return undefined;
  }
  if (group.current === when.parameter) {
    const what = outwards === 0 ? "itself" : `${when.parameter}, which it is a part of`;
    problems.push({ path: place, message: `a parameter cannot depend on ${what}` });
    return undefined;
  }
  group.looksAt.get(group.current)?.add(when.parameter);
  for (const value of values) {
    const message = cannotBe(looked, when.parameter, value);
    if (message !== undefined) problems.push({ path: place, message });
  }
  return { parameter: when.parameter, outwards, values: new Set(values) };
}

function cannotBe(parameter: Parameter, name: string, value: Scalar): string | undefined {
  if (parameter.type === "choice") {
    const keys = parameter.options.map((option) => typeof option === "object" ? option.name : option);
    if (keys.includes(value)) return undefined;
    return `${name} is never ${JSON.stringify(value)}; it is one of ${
      keys.map((key) => JSON.stringify(key)).join(", ")
    }`;
  }
  if (parameter.type !== "integer") {
    return `${name} is a ${parameter.type}; a condition looks at a choice or an integer`;
  }
  const { min, max, step = 1 } = parameter;
  const isPossible = typeof value === "number" && value >= min && value <= max && (value - min) % step === 0;
  return isPossible
    ? undefined
    : `${name} is never ${JSON.stringify(value)}; it is ${min} to ${max} in steps of ${step}`;
}

/** Members after what they look at, and otherwise as written. */
function inOrder(
  members: readonly Member[],
  open: OpenGroup,
  path: Path,
  problems: Problem[],
): readonly Member[] {
  const ordered: Member[] = [];
  const placed = new Set<string>();
  let waiting = members;
  while (waiting.length > 0) {
    const next = waiting.find((member) =>
      [...open.looksAt.get(member.name) ?? []].every((name) => placed.has(name))
    );
    if (next === undefined) {
      const names = waiting.map((member) => member.name).join(", ");
      problems.push({ path, message: `these parameters depend on each other in a circle: ${names}` });
      return members;
    }
    ordered.push(next);
    placed.add(next.name);
    waiting = waiting.filter((member) => member !== next);
  }
  return ordered;
}

/**
 * Whether something is a point of a space, and if not, why.
 *
 * @module
 */
import type { Candidate, Value } from "./candidate.ts";
import { type ChoiceNode, type GroupNode, isActive, type Scope, type SpaceNode } from "./node.ts";
import { largest } from "./number_range.ts";
import { isRecord, type Path, type Problem } from "./problem.ts";

/** The problems of a value that should be a candidate of the group. */
export function validateGroup(group: GroupNode, value: unknown): readonly Problem[] {
  const problems: Problem[] = [];
  checkGroup(group, value, [], undefined, problems);
  return problems;
}

function checkGroup(
  group: GroupNode,
  given: unknown,
  path: Path,
  outer: Scope | undefined,
  problems: Problem[],
): Candidate | undefined {
  if (!isRecord(given)) {
    problems.push({ path, message: `expected values by name, found ${shown(given)}` });
    return undefined;
  }
  const values: Record<string, Value> = {};
  const scope = { values, outer };
  for (const member of group.members) {
    const value = Object.hasOwn(given, member.name) ? given[member.name] : undefined;
    if (isActive(member, scope)) {
      const checked = check(member.node, value, [...path, member.name], scope, problems);
      if (checked !== undefined) values[member.name] = checked;
    } else if (value !== undefined) {
      problems.push({
        path: [...path, member.name],
        message: "has a value, though its condition does not hold",
      });
    }
  }
  for (const name of Object.keys(given)) {
    if (!group.names.has(name)) {
      problems.push({ path: [...path, name], message: "the space has no such parameter" });
    }
  }
  return values;
}

/** The value where it is one of the part's; else its problems are noted. */
function check(
  node: SpaceNode,
  value: unknown,
  path: Path,
  scope: Scope | undefined,
  problems: Problem[],
): Value | undefined {
  switch (node.type) {
    case "choice":
      return checkChoice(node, value, path, scope, problems);
    case "integer": {
      const max = largest(node);
      const isOnGrid = typeof value === "number" && (value - node.min) % node.step === 0;
      if (isOnGrid && value >= node.min && value <= max) return value;
      const steps = node.step === 1 ? "a whole number" : `a step of ${node.step}`;
      return refuse(problems, path, `expected ${steps} from ${node.min} to ${max}, found ${shown(value)}`);
    }
    case "real":
      if (typeof value === "number" && value >= node.min && value <= node.max) return value;
      return refuse(
        problems,
        path,
        `expected a number from ${node.min} to ${node.max}, found ${shown(value)}`,
      );
    case "repeat": {
      if (!Array.isArray(value) || value.length < node.min || value.length > node.max) {
        return refuse(problems, path, `expected a list of ${node.min} to ${node.max}, found ${shown(value)}`);
      }
      const items = value.map((item, index) => check(node.of, item, [...path, index], scope, problems));
      return items.filter((item) => item !== undefined);
    }
    case "optional":
      return value === null ? null : check(node.of, value, path, scope, problems);
    case "group":
      return checkGroup(node, value, path, scope, problems);
  }
}

function checkChoice(
  node: ChoiceNode,
  value: unknown,
  path: Path,
  scope: Scope | undefined,
  problems: Problem[],
): Value | undefined {
  const [name, ...more] = isRecord(value) ? Object.keys(value) : [];
  for (const option of node.options) {
    if (option.of === undefined) {
      if (option.key === value) return option.key;
    } else if (isRecord(value) && option.key === name && more.length === 0) {
      const inner = checkGroup(option.of, value[name], [...path, name], scope, problems);
      return inner === undefined ? undefined : { [name]: inner };
    }
  }
  const options = node.options.map(({ key, of }) => of === undefined ? JSON.stringify(key) : `{${key}: ...}`);
  return refuse(problems, path, `expected one of ${options.join(", ")}, found ${shown(value)}`);
}

function refuse(problems: Problem[], path: Path, message: string): undefined {
  problems.push({ path, message });
  return undefined;
}

/** The longest text of a found value that a message repeats, in characters. */
const SHOWN_MAX = 60;

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isRecord(value)) return `an object with ${Object.keys(value).slice(0, 3).join(", ") || "nothing"}`;
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
}

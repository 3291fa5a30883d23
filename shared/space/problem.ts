/**
 * Mistakes in what a user wrote, as values: what is wrong, where, and how to mend it.
 *
 * @module
 */
import type { z } from "zod";

/** Where a problem is: keys and indices from the root. */
export type Path = readonly (string | number)[];

/** One mistake. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** A value, or why there is none. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  readonly error: E;
};

/**
 * A path as a person would write it; empty for the root.
 *
 * @example
 * ```ts
 * import { formatPath } from "./problem.ts";
 * formatPath(["blocks", 1, "filters"]); // "blocks[1].filters"
 * ```
 */
export function formatPath(path: Path): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? key : `.${key}`;
  }
  return text;
}

/** A problem on one line: its path, then its message. */
export function formatProblem(problem: Problem): string {
  return problem.path.length === 0 ? problem.message : `${formatPath(problem.path)}: ${problem.message}`;
}

/**
 * The problems behind a failed zod check, with a union's issue replaced by those of the form that was meant.
 *
 * @param input what was checked; tells which form of a union was meant
 */
export function problemsOf(error: z.core.$ZodError, input: unknown): readonly Problem[] {
  return error.issues.flatMap((issue) => unfold(issue, input, []));
}

function unfold(issue: z.core.$ZodIssue, input: unknown, above: Path): readonly Problem[] {
  const path = [...above, ...issue.path.map((key) => typeof key === "symbol" ? String(key) : key)];
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const meant = meantForm(issue.errors, valueAt(input, path));
    if (meant !== undefined) return meant.flatMap((inner) => unfold(inner, input, path));
  }
  if (issue.code === "invalid_key" || issue.code === "invalid_element") {
    return issue.issues.map((inner) => ({ path, message: inner.message }));
  }
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], message: "there is no such key; leave it out" }));
  }
  const isMissing = issue.code === "invalid_type" && valueAt(input, path) === undefined;
  return [{ path, message: isMissing ? `is missing; ${expectation(issue.expected)}` : plain(issue.message) }];
}

/** A message without zod's opening words, which say nothing beside a path. */
function plain(message: string): string {
  return message.replace(/^Invalid input: /, "").replace("received", "found");
}

function expectation(kind: string): string {
  return `expected ${/^[aeio]/.test(kind) ? "an" : "a"} ${kind}`;
}

/**
 * Of a union's forms, the one that the user was writing: of those that got into the value at all, the first for an
 * object with a `type`, else the last. The space's schema lists its unions in that order.
 */
function meantForm(
  forms: readonly (readonly z.core.$ZodIssue[])[],
  value: unknown,
): readonly z.core.$ZodIssue[] | undefined {
  const entered = forms.filter((issues) => !issues.some(isAboutTheWhole));
  return isRecord(value) && typeof value["type"] === "string" ? entered[0] : entered.at(-1);
}

function isAboutTheWhole(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" && issue.path.length === 0;
}

/** Whether a value is an object with named members, not a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const key of path) {
    if (Array.isArray(value) && typeof key === "number") value = value[key];
    else if (isRecord(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

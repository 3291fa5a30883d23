/**
 * Spec files: read, changed by `--set`, made complete, and checked.
 *
 * Promise: what comes out can be sent to any master on this machine: paths are absolute, a space in a module is written
 * out. Each mistake is one sentence with file, line and path.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Spec, type SpecInput, specSchema } from "../../shared/protocol/spec.ts";
import { closest } from "../../shared/space/closest.ts";
import { formatPath, isRecord, type Path, type Problem, problemsOf } from "../../shared/space/problem.ts";

import { keysAt } from "./spec_json_schema.ts";
import { applyOverride, type Override, parseOverride } from "./spec_override.ts";
import { readSpecSource, type SpecSource } from "./spec_source.ts";

/** A spec that can be run, or its mistakes. */
export type SpecLoaded = {
  readonly ok: true;
  /** As it is sent. */
  readonly spec: SpecInput;
  /** With the defaults filled in; durations in milliseconds. */
  readonly checked: Spec;
  /** As the user named it. */
  readonly file: string;
  /** Where it is, absolute: what its paths were relative to. */
  readonly folder: string;
} | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Loads a spec.
 *
 * @param file YAML, JSON or a TypeScript module
 * @param sets changes such as `budget.trials=20`
 */
export async function loadSpec(file: string, sets: readonly string[] = []): Promise<SpecLoaded> {
  const path = resolve(file);
  const read = await readSpecSource(path, file);
  if (!read.ok) return read;
  const overrides = sets.map(parseOverride);
  const wrong = overrides.filter((each) => typeof each === "string");
  if (wrong.length > 0) return { ok: false, problems: wrong };
  const changes = overrides.filter((each) => typeof each !== "string");
  const places = new Places(read.source, changes);
  const changed = changes.reduce(applyOverride, read.source.data);
  const folder = dirname(path);
  return check(await complete(changed, folder), places, { file, folder });
}

/** A spec whose neighbours have been looked up, and what was wrong with them. */
interface Completed {
  readonly data: unknown;
  readonly problems: readonly Problem[];
  /** Where the space came from, where that is a module. */
  readonly spaceFile: string | undefined;
}

function check(
  { data, problems, spaceFile }: Completed,
  places: Places,
  place: { readonly file: string; readonly folder: string },
): SpecLoaded {
  const parsed = specSchema.safeParse(data);
  const isSpaceMissing = problems.some(({ path }) => path[0] === "space");
  const found = parsed.success ? [] : problemsOf(parsed.error, data)
    // A space that could not be fetched has been complained about already.
    .filter(({ path }) => !(isSpaceMissing && path[0] === "space"));
  const all = [...problems, ...found].map((problem) =>
    places.sentence(withSuggestion(problem, data), spaceFile)
  );
  if (all.length > 0 || !parsed.success || !isSpecInput(data)) {
    return { ok: false, problems: [...new Set(all)] };
  }
  return { ok: true, spec: data, checked: parsed.data, ...place };
}

/** What is sent is what was written: the master fills in the defaults itself. */
function isSpecInput(data: unknown): data is SpecInput {
  return specSchema.safeParse(data).success;
}

async function complete(data: unknown, folder: string): Promise<Completed> {
  if (!isRecord(data)) return { data, problems: [], spaceFile: undefined };
  const evaluator = await completeEvaluator(data["evaluator"], folder);
  const space = await completeSpace(data["space"], folder);
  return {
    data: {
      ...data,
      ...("evaluator" in data ? { evaluator: evaluator.value } : {}),
      ...("space" in data ? { space: space.value } : {}),
    },
    problems: [...evaluator.problems, ...space.problems],
    spaceFile: space.file,
  };
}

interface Part {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  readonly file?: string;
}

async function completeEvaluator(value: unknown, folder: string): Promise<Part> {
  if (isRecord(value) && value["kind"] === "command") return completeCommand(value, folder);
  const written = filePath(value, ["module", "python"]);
  if (written === undefined) return { value, problems: [] };
  const path = resolve(folder, written);
  const problem = await fileProblem(path);
  const problems = problem === undefined ? [] : [{ path: ["evaluator", "path"], message: problem }];
  return { value: isRecord(value) ? { ...value, path } : value, problems };
}

/** A program runs in the spec's folder, unless told. */
async function completeCommand(value: Readonly<Record<string, unknown>>, folder: string): Promise<Part> {
  const { folder: written = "./" } = value;
  if (typeof written !== "string" || written === "") return { value, problems: [] };
  const path = resolve(folder, written);
  const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
  const message = `there is no folder ${path}; paths are relative to the spec's folder`;
  const problems = isFolder ? [] : [{ path: ["evaluator", "folder"], message }];
  return { value: { ...value, folder: path }, problems };
}

async function completeSpace(value: unknown, folder: string): Promise<Part> {
  const written = filePath(value, ["module"]);
  if (written === undefined) return { value, problems: [] };
  const file = resolve(folder, written);
  const at = (message: string): Part => ({ value, problems: [{ path: ["space", "path"], message }], file });
  const problem = await fileProblem(file);
  if (problem !== undefined) return at(problem);
  try {
    const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href);
    const space = module["space"] ?? module["default"];
    if (space === undefined) return at(`${file} exports neither "space" nor a default`);
    return { value: space, problems: [], file };
  } catch (error) {
    return at(`${file} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function filePath(value: unknown, kinds: readonly unknown[]): string | undefined {
  if (!isRecord(value) || !kinds.includes(value["kind"]) || typeof value["path"] !== "string") {
    return undefined;
  }
  return value["path"] === "" ? undefined : value["path"];
}

async function fileProblem(path: string): Promise<string | undefined> {
  try {
    return (await Deno.stat(path)).isFile ? undefined : `${path} is no file`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return `there is no file ${path}; paths are relative to the spec's folder`;
    }
    return `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function withSuggestion(problem: Problem, data: unknown): Problem {
  if (!problem.message.startsWith("there is no such key")) return problem;
  const key = String(problem.path.at(-1) ?? "");
  const known = keysAt(problem.path.slice(0, -1), data);
  const meant = closest(key, known);
  if (meant !== undefined) return { ...problem, message: `there is no such key; did you mean "${meant}"?` };
  if (known.length === 0) return problem;
  return { ...problem, message: `there is no such key; known are ${known.join(", ")}` };
}

/** Says where a mistake was made. */
class Places {
  readonly #source: SpecSource;
  readonly #overrides: readonly Override[];

  constructor(source: SpecSource, overrides: readonly Override[]) {
    this.#source = source;
    this.#overrides = overrides;
  }

  sentence({ path, message }: Problem, spaceFile: string | undefined): string {
    const words = path.length === 0 ? message : `${formatPath(path)}: ${message}`;
    if (spaceFile !== undefined && path[0] === "space" && path[1] !== "path") return `${spaceFile}: ${words}`;
    const override = this.#overrides.findLast((each) => startsWith(path, each.path));
    if (override !== undefined) return `--set ${formatPath(override.path)}: ${words}`;
    const line = this.#source.lineOf(path);
    return `${this.#source.file}:${line === undefined ? "" : `${line}:`} ${words}`;
  }
}

function startsWith(path: Path, beginning: Path): boolean {
  return beginning.length <= path.length && beginning.every((key, index) => key === path[index]);
}

/**
 * A spec whose evaluator's paths are relative to its folder, so that they hold wherever the folder is unpacked.
 *
 * @module
 */
import { isAbsolute, join, relative, sep } from "node:path";
import type { TreeEntry } from "../../shared/platform/tree_entry.ts";
import type { Evaluator } from "../../shared/model/task.ts";

/** An evaluator with its paths made relative, or one sentence that says why it cannot travel. */
export type Relative =
  | { readonly ok: true; readonly evaluator: Evaluator }
  | { readonly ok: false; readonly message: string };

/**
 * Makes the paths of an evaluator relative to the folder that travels.
 *
 * @param folder absolute
 * @param entries what travels of it
 */
export function relativeEvaluator(
  evaluator: Evaluator,
  folder: string,
  entries: readonly TreeEntry[],
): Relative {
  const names = new Map(entries.map((entry) => [entry.name, entry.type]));
  switch (evaluator.kind) {
    case "builtin":
      return { ok: true, evaluator };
    case "module":
    case "python": {
      const path = below(folder, evaluator.path);
      if (path === undefined) return outside("path", evaluator.path, folder);
      if (!names.has(path)) return leftOut("path", path);
      const needed = evaluator.kind === "python" ? evaluator.interpreter : undefined;
      const program = needed === undefined ? undefined : missingProgram(needed, join(path, ".."), names);
      return program === undefined
        ? { ok: true, evaluator: { ...evaluator, path } }
        : leftOut("interpreter", program);
    }
    case "command": {
      const place = below(folder, evaluator.folder ?? folder);
      if (place === undefined) return outside("folder", evaluator.folder ?? folder, folder);
      if (place !== "." && !names.has(place)) return leftOut("folder", place);
      const program = missingProgram(evaluator.command[0] ?? "", place, names);
      return program === undefined
        ? { ok: true, evaluator: { ...evaluator, folder: place } }
        : leftOut("command", program);
    }
  }
}

/** Relative, with `/`; undefined where it is elsewhere. */
function below(folder: string, path: string): string | undefined {
  const name = relative(folder, path);
  if (name === "") return ".";
  if (name === ".." || name.startsWith(`..${sep}`) || isAbsolute(name)) return undefined;
  return name.split(sep).join("/");
}

/** A program that is named by a path of the folder, and does not travel. */
function missingProgram(
  word: string,
  place: string,
  names: ReadonlyMap<string, TreeEntry["type"]>,
): string | undefined {
  // A name in PATH, one of the machine's own programs, or a value that is not known yet.
  if (!word.includes("/") || isAbsolute(word) || word.includes("{")) return undefined;
  const name = join(place, word).split(sep).join("/");
  const type = names.get(name);
  return type === "file" || type === "link" ? undefined : name;
}

function outside(key: string, path: string, folder: string): Relative {
  return {
    ok: false,
    message:
      `evaluator.${key}: ${path} is outside of the spec's folder ${folder}, which is all that travels to the ` +
      `workers: move it there, or write "code: local" where the workers have it at the same path`,
  };
}

function leftOut(key: string, name: string): Relative {
  return {
    ok: false,
    message:
      `evaluator.${key}: ${name} does not travel to the workers: it is not in the spec's folder, or stays at ` +
      `home (espalier run SPEC --list-code shows what travels; .espalierignore can take it back with !${name}); ` +
      `programs of the workers' own are named without a path, or write "code: local"`,
  };
}

/**
 * An evaluator whose paths are relative to its packed code, with the paths that it has on this machine.
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import type { Evaluator } from "../../shared/model/task.ts";

/** An evaluator that can be run here, or why it cannot be anywhere. */
export type Placed = { readonly ok: true; readonly evaluator: Evaluator } | {
  readonly ok: false;
  readonly message: string;
};

/** Puts an evaluator into a folder. */
export function placeEvaluator(evaluator: Evaluator, folder: string): Placed {
  switch (evaluator.kind) {
    case "builtin":
      return { ok: true, evaluator };
    case "module":
    case "python": {
      const path = within(folder, evaluator.path);
      return path === undefined ? outside(evaluator.path) : { ok: true, evaluator: { ...evaluator, path } };
    }
    case "command": {
      const place = within(folder, evaluator.folder ?? ".");
      return place === undefined
        ? outside(evaluator.folder ?? "")
        : { ok: true, evaluator: { ...evaluator, folder: place } };
    }
  }
}

function within(folder: string, path: string): string | undefined {
  if (isAbsolute(path)) return undefined;
  const joined = join(folder, path).replace(/\/$/, "");
  return joined === folder || joined.startsWith(`${folder}/`) ? joined : undefined;
}

function outside(path: string): Placed {
  const message =
    `the evaluator's path ${path} is not within its packed code: it must be relative to that folder, and below it`;
  return { ok: false, message };
}

/**
 * Permissions of modules: what a spec asks for, granted only where the worker's own configuration allows it.
 *
 * Promise: without a word of the worker's nothing is granted; an entry that is asked for is granted whole or not at all.
 *
 * @module
 */
import { resolve } from "node:path";
import { ALL_ENTRIES } from "../../../shared/model/permissions.ts";
import {
  MODULE_PERMISSIONS,
  type ModulePermission,
  type ModulePermissions,
} from "../../../shared/model/task.ts";

/** What is granted, or why nothing is. */
export type Granted =
  | { readonly ok: true; readonly granted: ModulePermissions }
  | { readonly ok: false; readonly message: string };

/**
 * What of a spec's wishes a worker grants: all of them, or none.
 *
 * @param folder what paths in the spec are relative to, absolute
 */
export function grant(
  asked: ModulePermissions | undefined,
  allowed: ModulePermissions,
  folder: string,
): Granted {
  const granted: Partial<Record<ModulePermission, readonly string[]>> = {};
  for (const name of MODULE_PERMISSIONS) {
    const entries = (asked?.[name] ?? []).map((entry) => isPath(name) ? resolve(folder, entry) : entry);
    const refused = entries.find((entry) => !isAllowed(name, entry, allowed[name] ?? []));
    if (refused !== undefined) {
      return {
        ok: false,
        message:
          `the evaluator asks for ${name} of ${refused}, which this worker does not allow: leave it out of ` +
          `the spec's permissions, or start workers with --allow-modules ${name}=${refused}`,
      };
    }
    if (entries.length > 0) granted[name] = entries;
  }
  return { ok: true, granted };
}

/** As Deno's command line takes them. */
export function permissionArguments(granted: ModulePermissions): readonly string[] {
  return MODULE_PERMISSIONS.filter((name) => name !== "read" && name !== "write").flatMap((name) => {
    const entries = granted[name] ?? [];
    return entries.length === 0 ? [] : [`--allow-${name}=${entries.join(",")}`];
  });
}

function isAllowed(name: ModulePermission, entry: string, allowed: readonly string[]): boolean {
  // A worker's `*` is for what a spec names: nobody is given everything.
  if (entry.includes(ALL_ENTRIES)) return false;
  return allowed.some((word) => {
    const each = isPath(name) && word !== ALL_ENTRIES ? resolve(word) : word;
    if (each === ALL_ENTRIES || each === entry) return true;
    if (isPath(name)) return entry.startsWith(each.endsWith("/") ? each : `${each}/`);
    // A host stands for all of its ports.
    if (name === "net") return !each.includes(":") && entry.startsWith(`${each}:`);
    return false;
  });
}

function isPath(name: ModulePermission): boolean {
  return name === "read" || name === "write";
}

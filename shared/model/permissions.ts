/**
 * What a worker allows modules to do beyond reading their own folder, in an operator's words.
 *
 * @module
 */
import { MODULE_PERMISSIONS, type ModulePermission, type ModulePermissions } from "./task.ts";

/** What a worker allows, or what is wrong with its words. */
export type Allowed =
  | { readonly ok: true; readonly allowed: ModulePermissions }
  | { readonly ok: false; readonly message: string };

/** Stands for every entry. */
export const ALL_ENTRIES = "*";

/**
 * Reads a worker's words, such as `net=example.org:443` or `read=/data`.
 *
 * @param words each a permission and one entry; `*` allows every entry
 */
export function readAllowed(words: readonly string[]): Allowed {
  const allowed: Partial<Record<ModulePermission, string[]>> = {};
  for (const word of words) {
    const at = word.indexOf("=");
    const name = MODULE_PERMISSIONS.find((permission) => permission === word.slice(0, at));
    const entry = word.slice(at + 1).trim();
    if (at < 0 || name === undefined || entry === "" || entry.includes(",")) {
      return {
        ok: false,
        message: `"${word}" allows nothing: expected PERMISSION=ENTRY with one of ${
          MODULE_PERMISSIONS.join(", ")
        }, such as net=example.org:443, read=/data or env=HF_HOME`,
      };
    }
    (allowed[name] ??= []).push(entry);
  }
  return { ok: true, allowed };
}

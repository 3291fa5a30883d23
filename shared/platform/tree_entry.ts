/**
 * Entries of a tree of files: what of a folder can travel, and which links stay within it.
 *
 * @module
 */
/** A file, a folder or a link of a tree; its name is relative, see `isFileName`. */
export type TreeEntry =
  | {
    readonly type: "file";
    readonly name: string;
    readonly bytes: number;
    /** Whether its owner may run it: all of its mode that travels. */
    readonly isExecutable: boolean;
  }
  | { readonly type: "folder"; readonly name: string }
  | { readonly type: "link"; readonly name: string; readonly target: string };

/**
 * Whether a link leads to a place within its tree, whatever other links are there: up first, down then, and never up again,
 * since what a name in between stands for may be elsewhere.
 *
 * @param name where the link is, in its tree
 */
export function staysWithin(name: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || /[\0\\]/.test(target)) return false;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const ups = parts.findIndex((part) => part !== "..");
  const down = ups < 0 ? [] : parts.slice(ups);
  if (down.includes("..")) return false;
  return (ups < 0 ? parts.length : ups) < name.split("/").length;
}

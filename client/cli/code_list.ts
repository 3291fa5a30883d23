/**
 * Which files of a spec's folder travel to the workers.
 *
 * Promise: what travels depends on the folder alone; what no evaluator needs stays at home unless `.espalierignore` says
 * otherwise; data folders of Espalier and files with its tokens never travel: whoever may read an artifact would have them.
 *
 * @module
 */
import ignore from "ignore";
import { formatBytes } from "./table.ts";
import type { TreeEntry } from "../../shared/platform/tree_entry.ts";
import { listTree } from "../../shared/platform/tree_list.ts";

/** What may travel, unless told. */
export const CODE_BYTES_MAX = 64 * 1024 ** 2;
/** Files, folders and links, unless told. */
export const CODE_ENTRIES_MAX = 10_000;

/** In the spec's folder: what stays at home besides, in the words of a `.gitignore`. */
export const IGNORE_FILE = ".espalierignore";

/** What stays at home unless `.espalierignore` takes it back with `!`. */
export const LEFT_OUT: readonly string[] = [
  IGNORE_FILE,
  ".git",
  ".hg",
  ".svn",
  "node_modules",
  "__pycache__",
  ".venv",
  ".ipynb_checkpoints",
  ".pytest_cache",
  ".mypy_cache",
  ".DS_Store",
];

/** Files that only such folders have as can never be of use elsewhere. */
const MARKS_OF_PLACES = ["tokens.json", "worker-id", "pyvenv.cfg"];
/** A token as a master makes it, and the most that a file with tokens has. */
const TOKEN = /espalier_[a-z]+_[\w-]{20}/;
const TOKEN_FILE_BYTES_MAX = 16 * 1024;
/** A folder that has more is not looked at to its end. */
const LOOKED_AT_MAX = 200_000;
/** So many of what takes most are named. */
const LARGEST_NAMED = 5;

/** How much may travel. */
export interface CodeLimits {
  readonly bytes: number;
  readonly entries: number;
}

/** What travels, or why not. */
export type CodeListed =
  | {
    readonly ok: true;
    readonly entries: readonly TreeEntry[];
    /** Of the files. */
    readonly bytes: number;
    /** Set where it is more than may travel. */
    readonly tooMuch: string | undefined;
  }
  | { readonly ok: false; readonly message: string };

/** Lists what of a folder travels. */
export async function listCode(folder: string, limits: CodeLimits): Promise<CodeListed> {
  try {
    return await look(folder, limits);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const message =
      `${folder} cannot be read to its end: ${words}; name what is none of your code in ${IGNORE_FILE}`;
    return { ok: false, message };
  }
}

async function look(folder: string, limits: CodeLimits): Promise<CodeListed> {
  const rules = ignore().add([...LEFT_OUT]).add(await ownRules(folder));
  const listed = await listTree(folder, {
    isLeftOut: async (name, isFolder) =>
      rules.ignores(isFolder ? `${name}/` : name) || (isFolder && await isPlaceOfItsOwn(`${folder}/${name}`)),
    entriesMax: Math.max(LOOKED_AT_MAX, limits.entries),
  });
  if (!listed.ok) {
    return {
      ok: false,
      message: `${folder} cannot travel to the workers: ${listed.problems.join("; ")}; or name it in ` +
        `${IGNORE_FILE}, or write "code: local" where the workers have the folder`,
    };
  }
  const { entries } = listed;
  const secret = await fileWithToken(folder, entries);
  if (secret !== undefined) {
    return {
      ok: false,
      message:
        `${folder}/${secret} holds a token of Espalier, and would travel to the workers, where all who may ` +
        `look could read it: move it out of the folder, or name it in ${IGNORE_FILE}`,
    };
  }
  const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
  return { ok: true, entries, bytes, tooMuch: tooMuch(folder, entries, bytes, limits) };
}

async function ownRules(folder: string): Promise<string> {
  try {
    return await Deno.readTextFile(`${folder}/${IGNORE_FILE}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

async function isPlaceOfItsOwn(folder: string): Promise<boolean> {
  for (const name of MARKS_OF_PLACES) {
    if (await Deno.stat(`${folder}/${name}`).then(({ isFile }) => isFile, () => false)) return true;
  }
  return false;
}

/** The first file that is called a token's and holds one: in the folder itself, such as a master's with its spec beside. */
async function fileWithToken(folder: string, entries: readonly TreeEntry[]): Promise<string | undefined> {
  for (const { name, ...entry } of entries) {
    if (entry.type !== "file" || entry.bytes > TOKEN_FILE_BYTES_MAX || !/token/i.test(name)) continue;
    if (TOKEN.test(await Deno.readTextFile(`${folder}/${name}`))) return name;
  }
  return undefined;
}

function sizeOf(entry: TreeEntry): number {
  return entry.type === "file" ? entry.bytes : 0;
}

function tooMuch(
  folder: string,
  entries: readonly TreeEntry[],
  bytes: number,
  limits: CodeLimits,
): string | undefined {
  if (bytes <= limits.bytes && entries.length <= limits.entries) return undefined;
  return `${folder} has ${
    formatBytes(bytes)
  } in ${entries.length} files and folders; to the workers may travel ` +
    `${formatBytes(limits.bytes)} in ${limits.entries}. Most is in ${
      largest(entries, bytes > limits.bytes)
    }. ` +
    `Name what no trial needs in ${IGNORE_FILE}, allow more with --code-limit or --code-files-limit, or write ` +
    `"code: local" where the workers have the folder`;
}

/** What stands at the top of the folder and takes most. */
function largest(entries: readonly TreeEntry[], isByBytes: boolean): string {
  const tops = Map.groupBy(entries, ({ name }) => name.split("/", 1)[0] ?? name);
  const sums = [...tops].map(([name, inner]) => ({
    name: inner.length > 1 ? `${name}/` : name,
    count: inner.length,
    bytes: inner.reduce((sum, entry) => sum + sizeOf(entry), 0),
  }));
  sums.sort((a, b) => isByBytes ? b.bytes - a.bytes : b.count - a.count);
  return sums.slice(0, LARGEST_NAMED)
    .map(({ name, count, bytes }) =>
      `${name} (${formatBytes(bytes)}${count > 1 ? `, ${count} entries` : ""})`
    )
    .join(", ");
}

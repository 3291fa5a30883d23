/**
 * The project's files as the house tests read them.
 *
 * @module
 */

/** The root of the project. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** Made by runs, not written by anyone. */
const NOT_OURS = new Set([".git", ".espalier", "espalier-data", "node_modules", "coverage", "__pycache__"]);
const BINARY = /\.(gz|png|jpg|ico|webp|woff2?|sqlite|db|zip|lock)$/;

/** Paths of all text files, relative to the root. */
export const FILES: readonly string[] = [...walk("")].filter((path) => !BINARY.test(path)).toSorted();

/** Paths of all TypeScript files. */
export const SOURCES: readonly string[] = FILES.filter((path) => /\.tsx?$/.test(path));

/** What a file says. */
export function read(path: string): string {
  return Deno.readTextFileSync(ROOT + path);
}

function* walk(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(ROOT + folder)) {
    if (entry.isDirectory && !NOT_OURS.has(entry.name)) yield* walk(`${folder}${entry.name}/`);
    else if (entry.isFile) yield folder + entry.name;
  }
}

const COMMENT = String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`;
const QUOTED = String.raw`"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'`;
const INNER = "`(?:\\\\.|[^`\\\\])*`";
const HOLE = String.raw`\$\{(?:[^{}` + "`]|" + INNER + String.raw`|\{[^{}]*\})*\}`;
const TEMPLATE = "`(?:\\\\.|" + HOLE + "|[^`\\\\])*`";
/** A slash that begins an expression, where a division could not stand. */
const PATTERN = String
  .raw`(?<=[(,=:[!&|?{};\n]\s*|return\s+)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*`;
const NOT_CODE = new RegExp([COMMENT, QUOTED, TEMPLATE, PATTERN].join("|"), "g");

/** A file without comments, strings and patterns; what is computed within a template stays. */
export function codeOf(text: string): string {
  return text.replaceAll(NOT_CODE, (found) => {
    if (found.startsWith("`")) return "`" + [...found.matchAll(new RegExp(HOLE, "g"))].join(" ") + "`";
    return "\n".repeat(found.split("\n").length - 1) + (/^["']/.test(found) ? '""' : "");
  });
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|(?:^|\n)\s*import\s*"([^"]+)"|\bimport\("([^"]+)"\)/g;
const ONLY_COMMENTS = new RegExp(`(${QUOTED}|${TEMPLATE})|${COMMENT}`, "g");

/** What a file imports, types included: paths relative to the root, or the specifier where it is not relative. */
export function importsOf(path: string): readonly string[] {
  const code = read(path).replaceAll(ONLY_COMMENTS, (_, text?: string) => text ?? "");
  return [...code.matchAll(IMPORT)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    return specifier.startsWith(".") ? new URL(specifier, `file:///${path}`).pathname.slice(1) : specifier;
  });
}

/** The lines of a file whose code matches a pattern, as `path:line: text`. */
export function findings(path: string, code: string, pattern: RegExp): string[] {
  return code.split("\n").flatMap((line, index) =>
    pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []
  );
}

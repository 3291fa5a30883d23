/**
 * Patterns of files: `*` stands for anything but a slash, `?` for one such character, `**` for any folders.
 *
 * @module
 */

/** Patterns, ready to be held against names. */
export interface FilePatterns {
  /** @param name relative, with `/` between its parts */
  matches(name: string): boolean;
  /** Whether something below a folder might match. */
  mayMatchBelow(folder: string): boolean;
}

/** Reads patterns. */
export function filePatterns(patterns: readonly string[]): FilePatterns {
  // A spec says `./*.png` or `out/` as well.
  const parts = patterns.map((pattern) => pattern.split("/").filter((part) => part !== "" && part !== "."));
  const whole = parts.map((each) => new RegExp(`^${expression(each)}$`, "u"));
  return {
    matches: (name) => whole.some((each) => each.test(name)),
    mayMatchBelow: (folder) => {
      const depth = folder.split("/").length;
      return parts.some((each) => each.includes("**") || each.length > depth);
    },
  };
}

function expression(parts: readonly string[]): string {
  return parts.map((part, index) => {
    const isLast = index === parts.length - 1;
    if (part === "**") return isLast ? ".*" : "(?:[^/]*/)*";
    return partExpression(part) + (isLast ? "" : "/");
  }).join("");
}

function partExpression(part: string): string {
  return [...part].map((each) => {
    if (each === "*") return "[^/]*";
    if (each === "?") return "[^/]";
    return each.replace(/[\\^$.*+?()[\]{}|/-]/u, "\\$&");
  }).join("").replaceAll("[^/]*[^/]*", "[^/]*");
}

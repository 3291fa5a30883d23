/**
 * Patterns of files: `*` stands for anything but a slash, `?` for one such character, `**` for any folders.
 *
 * Promise: however a pattern is written, it is held against a name in time that grows with the two lengths multiplied, and
 * no faster.
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

/** Any folders, or none. */
const ANY_FOLDERS = "**";

/** Reads patterns. */
export function filePatterns(patterns: readonly string[]): FilePatterns {
  // A spec says `./*.png` or `out/` as well.
  const parts = patterns.map((pattern) => pattern.split("/").filter((part) => part !== "" && part !== "."));
  return {
    matches: (name) => parts.some((each) => matchesWhole(each, name.split("/"))),
    mayMatchBelow: (folder) => {
      const depth = folder.split("/").length;
      return parts.some((each) => each.includes(ANY_FOLDERS) || each.length > depth);
    },
  };
}

/** Whether all parts of a pattern stand for all parts of a name; a last `**` stands for one part at least. */
function matchesWhole(pattern: readonly string[], name: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === ANY_FOLDERS;
  const whole = isOpen ? [...pattern, "*"] : pattern;
  return matchesParts(
    whole,
    name,
    ANY_FOLDERS,
    (part, text) => matchesParts([...part], [...text], "*", sameOrAny),
  );
}

function sameOrAny(one: string, other: string): boolean {
  return one === "?" || one === other;
}

/**
 * Whether a pattern stands for a text, each of them in pieces. Only the last piece that stands for many is ever tried again
 * with more: what stood before it has matched already.
 *
 * @param many stands for any number of pieces, or none
 */
function matchesParts(
  pattern: readonly string[],
  text: readonly string[],
  many: string,
  isSame: (piece: string, part: string) => boolean,
): boolean {
  let at = 0, manyAt = -1, from = 0;
  for (let index = 0; index < text.length;) {
    const piece = pattern[at];
    if (piece === many) {
      manyAt = at;
      from = index;
      at += 1;
    } else if (piece !== undefined && isSame(piece, text[index] ?? "")) {
      at += 1;
      index += 1;
    } else if (manyAt >= 0) {
      from += 1;
      at = manyAt + 1;
      index = from;
    } else return false;
  }
  return pattern.slice(at).every((piece) => piece === many);
}

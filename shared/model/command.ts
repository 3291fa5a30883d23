/**
 * Commands of evaluators: their words, and the values of a candidate in them.
 *
 * Promise: a value is part of one argument, whatever is in it; nothing is ever given to a shell.
 * Not here: whether a space has the names (shared/space/parameter_at.ts), how the program is run (the worker's executors).
 *
 * @module
 */

/** A part of a word: text, or the path of a value. */
export type WordPart = string | { readonly path: readonly string[] };

/** Words, or what is wrong with the text. */
export type Words =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly message: string };

/** The parts of a word, or what is wrong with it. */
export type Parts =
  | { readonly ok: true; readonly parts: readonly WordPart[] }
  | { readonly ok: false; readonly message: string };

/**
 * Splits a line as a POSIX shell splits words: at blanks, with quotes and backslashes. Nothing is expanded: `$`, `*`, `|`
 * and `>` are characters like any other.
 */
export function splitWords(line: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const char = line.charAt(at);
    if (BLANK.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    const piece = char === "'" || char === '"' ? quoted(line, at) : bare(line, at);
    if (piece === undefined) {
      return {
        ok: false,
        message: `the quote ${char} at character ${at + 1} is not closed: ${line.slice(at, at + 40)}`,
      };
    }
    word = (word ?? "") + piece.text;
    at = piece.end;
  }
  if (word !== undefined) words.push(word);
  if (words.length > 0) return { ok: true, words };
  return { ok: false, message: 'the command is empty; expected a program, such as "python train.py"' };
}

/** Cuts a word into text and values: `{name}` or `{group.name}`; literal braces are doubled. */
export function partsOf(word: string): Parts {
  const parts: WordPart[] = [];
  let text = "";
  for (let at = 0; at < word.length; at += 1) {
    const char = word.charAt(at);
    if ((char === "{" || char === "}") && word.charAt(at + 1) === char) {
      text += char;
      at += 1;
    } else if (char === "{") {
      const end = word.indexOf("}", at);
      const name = word.slice(at + 1, end < 0 ? undefined : end);
      if (end < 0 || !VALUE_PATH.test(name)) return { ok: false, message: braceAdvice(word) };
      if (text !== "") parts.push(text);
      text = "";
      parts.push({ path: name.split(".") });
      at = end;
    } else if (char === "}") {
      return { ok: false, message: braceAdvice(word) };
    } else text += char;
  }
  if (text !== "" || parts.length === 0) parts.push(text);
  return { ok: true, parts };
}

/**
 * Puts a candidate's values into a command's words: texts as they are, numbers and truth values in digits and words, lists
 * and objects as JSON.
 *
 * A word with a value that the candidate has not (its condition does not hold, an optional part is left out) is left out
 * itself, and so is the flag in front of it: a word without values that begins with `-`.
 *
 * @returns the arguments, or what is wrong with the command
 */
export function fillCommand(command: readonly string[], candidate: unknown): Words {
  const filled: string[] = [];
  let isFlag = false;
  for (const word of command) {
    const parsed = partsOf(word);
    if (!parsed.ok) return parsed;
    const texts = parsed.parts.map((part) =>
      typeof part === "string" ? part : textOf(valueAt(candidate, part.path))
    );
    const known = texts.filter((text) => text !== undefined);
    if (known.length === texts.length) filled.push(known.join(""));
    else if (isFlag) filled.pop();
    isFlag = word.startsWith("-") && parsed.parts.every((part) => typeof part === "string");
  }
  return { ok: true, words: filled };
}

/** A name as spaces have them, or a place in a list; further ones behind dots. */
const VALUE_PATH = /^[\w-]+(\.[\w-]+)*$/;
const BLANK = /[ \t\r\n]/;
/** What a backslash takes its meaning from within double quotes (POSIX, 2.2.3, without the expansions). */
const ESCAPED_IN_DOUBLE = new Set(["\\", '"', "$", "`"]);

interface Piece {
  readonly text: string;
  readonly end: number;
}

function quoted(line: string, start: number): Piece | undefined {
  const quote = line.charAt(start);
  let text = "";
  for (let at = start + 1; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === quote) return { text, end: at + 1 };
    if (quote === '"' && char === "\\" && ESCAPED_IN_DOUBLE.has(line.charAt(at + 1))) at += 1;
    text += line.charAt(at);
  }
  return undefined;
}

function bare(line: string, at: number): Piece {
  const isEscape = line.charAt(at) === "\\" && at + 1 < line.length;
  return isEscape ? { text: line.charAt(at + 1), end: at + 2 } : { text: line.charAt(at), end: at + 1 };
}

function braceAdvice(word: string): string {
  return `"${
    word.slice(0, 80)
  }" has a brace that belongs to no value: write {name} or {group.name}, and {{ or }} for a brace itself`;
}

function valueAt(candidate: unknown, path: readonly string[]): unknown {
  let value = candidate;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

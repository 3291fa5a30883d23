/**
 * Writes docs/limits.md: every limit, interval and default that stands as a named constant in the code.
 *
 * Run it after a change of one: `deno run -A scripts/limits.ts`
 *
 * @module
 */
import { formatMarkdown } from "./format_markdown.ts";

/** The page. */
export const LIMITS_PAGE = new URL("../docs/limits.md", import.meta.url);

const ROOT = new URL("../", import.meta.url);
const ROLES = ["shared", "master", "worker", "client"];
/** What a name has that bounds something, spaces it in time, or holds where nothing was said. */
const BOUNDS =
  /(^|_)(MAX|MIN|MS|SECONDS|DEFAULTS?|BYTES|KIB|MIB|INTERVALS|ROWS|INTENSITY|BACKOFF|BURST)(_|$)/;
/** What a size is counted in bounds nothing. */
const UNIT_NAMES = new Set(["MIB", "GIB"]);
const DECLARATION = /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: [^=]+)? = (.+?)(?: as const)?;$/;

/** A constant as it stands in the code. */
interface Constant {
  readonly file: string;
  readonly name: string;
  readonly expression: string;
  /** The first sentence of the comment above it. */
  readonly meaning: string;
}

/** The page, as `deno fmt` would have it. */
export function limitsText(): Promise<string> {
  return formatMarkdown(pageText());
}

function pageText(): string {
  const constants = ROLES.flatMap((role) => [...sourcesIn(`${role}/`)]).toSorted().flatMap(constantsIn);
  const files = Map.groupBy(
    constants.filter(({ name }) => BOUNDS.test(name) && !UNIT_NAMES.has(name)),
    ({ file }) => file,
  );
  const tables = ROLES.map((role) => {
    const rows = [...files].filter(([file]) => file.startsWith(`${role}/`))
      .flatMap(([, all]) => all.flatMap((each) => rowOf(each, constants)));
    return `## ${role}\n\n| constant | value | meaning | stands in |\n|---|---|---|---|\n${
      rows.join("\n")
    }\n`;
  });
  return `${INTRODUCTION}\n${tables.join("\n")}`;
}

const INTRODUCTION = `<!-- Written by scripts/limits.ts: change the constants, not this page. -->

# Limits, intervals and defaults

Every number that bounds, spaces or presets something, as it stands in the code. A few can be set: those of a spec in
[its reference](spec.md), those of a process by [a flag](cli.md). To change another one, change its constant and run
\`deno run -A scripts/limits.ts\`.
`;

function* sourcesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory) yield* sourcesIn(`${folder}${name}/`);
    else if (/\.tsx?$/.test(name)) yield folder + name;
  }
}

function constantsIn(file: string): readonly Constant[] {
  const lines = Deno.readTextFileSync(new URL(file, ROOT)).split("\n");
  return lines.flatMap((line, index) => {
    const [, name, expression] = DECLARATION.exec(line) ?? [];
    if (name === undefined || expression === undefined) return [];
    return [{ file, name, expression, meaning: meaningAbove(lines, index) }];
  });
}

/** One comment may speak for a block of declarations of one line each. */
function meaningAbove(lines: readonly string[], index: number): string {
  let last = index - 1;
  while (DECLARATION.test(lines[last] ?? "")) last -= 1;
  if (!(lines[last] ?? "").endsWith("*/")) return "";
  let first = last;
  while (first > 0 && !(lines[first] ?? "").startsWith("/**")) first -= 1;
  const words = lines.slice(first, last + 1)
    .map((line) => line.replace(/^\s*(\/\*\*|\*\/|\*)\s?/, "").replace(/\*\/$/, "").trim()).join(" ").trim();
  return (/^.*?[.:?](?= [A-Z@]|$)/.exec(words)?.[0] ?? words).replaceAll("|", "\\|");
}

/** The row of a constant; none where it is not made of numbers. */
function rowOf({ file, name, expression, meaning }: Constant, all: readonly Constant[]): string[] {
  const lookUp = (wanted: string, from: string): number | undefined => {
    const found = all.find((each) => each.name === wanted && each.file === from) ??
      all.find((each) => each.name === wanted);
    return found === undefined ? undefined : valueOf(found.expression, (inner) => lookUp(inner, found.file));
  };
  const value = expression.startsWith("{")
    ? wordsOfParts(expression)
    : wordsOf(valueOf(expression, (wanted) => lookUp(wanted, file)), name);
  return value === undefined ? [] : [`| \`${name}\` | ${value} | ${meaning} | \`${file}\` |`];
}

/** Such as `limit 3, backoff 500 ms`. */
function wordsOfParts(object: string): string | undefined {
  const parts = object.replace(/^\{|\}$/g, "").split(",").map((part) => part.split(":"));
  const words = parts.filter(([name = ""]) => name.trim() !== "").map(([name = "", value = ""]) => {
    const number = valueOf(value.trim(), () => undefined);
    const unit = name.trim().replace(/([A-Z])/g, "_$1").toUpperCase();
    return number === undefined ? undefined : `${name.trim().replace(/Ms$/, "")} ${wordsOf(number, unit)}`;
  });
  return words.includes(undefined) ? undefined : words.join(", ");
}

/** A sum of products of powers of numbers and names, which is all that the constants use. */
function valueOf(expression: string, lookUp: (name: string) => number | undefined): number | undefined {
  const factor = (text: string): number => {
    const number = Number(text.replaceAll("_", ""));
    return /^[\d._]+(e-?\d+)?$/.test(text) ? number : lookUp(text) ?? NaN;
  };
  const power = (text: string) => text.split(" ** ").map(factor).reduceRight((top, base) => base ** top);
  const product = (text: string) => text.split(/ \* (?!\*)/).map(power).reduce((a, b) => a * b);
  const terms = expression.split(/ (?=[+-] )/).map((term) =>
    term.startsWith("- ") ? -product(term.slice(2)) : product(term.replace(/^\+ /, ""))
  );
  const sum = terms.reduce((a, b) => a + b);
  return Number.isFinite(sum) ? sum : undefined;
}

/** A number with its unit, in the largest unit in which it stays whole. */
function wordsOf(value: number | undefined, name: string): string | undefined {
  if (value === undefined) return undefined;
  const unit = UNITS.find(([ending]) => ending.test(name))?.[1] ?? [];
  const [word, size] = unit.findLast(([, size]) => value >= size && value % size === 0) ?? unit[0] ?? ["", 1];
  // A port is a name, not an amount.
  const amount = name.startsWith("PORT_") ? String(value) : (value / size).toLocaleString("en-US");
  return `${amount} ${word}`.trim();
}

type Units = readonly (readonly [string, number])[];

const TIME: Units = [["ms", 1], ["s", 1_000], ["min", 60_000], ["h", 3_600_000], ["d", 86_400_000]];
const SIZE: Units = [["bytes", 1], ["KiB", 1_024], ["MiB", 1_048_576], ["GiB", 1_073_741_824]];
const UNITS: readonly (readonly [RegExp, Units])[] = [
  [/(^|_)PER_SECOND(_|$)/, [["a second", 1]]],
  [/(^|_)MS(_|$)/, TIME],
  [/(^|_)SECONDS(_|$)/, [["s", 1], ["min", 60], ["h", 3_600], ["d", 86_400]]],
  [/(^|_)(BYTES|BUFFER)(_|$)/, SIZE],
  [/(^|_)KIB(_|$)/, [["KiB", 1], ["MiB", 1_024]]],
  [/(^|_)MIB(_|$)/, [["MiB", 1], ["GiB", 1_024]]],
  [/(^|_)INTERVALS(_|$)/, [["heartbeat intervals", 1]]],
];

if (import.meta.main) await Deno.writeTextFile(LIMITS_PAGE, await limitsText());

/**
 * Looks a value up in a space by the way to it: `optimizer.lr`, `layers.0.units`.
 *
 * @module
 */
import { closest } from "./closest.ts";
import { cnnParameters } from "./cnn.ts";
import type { Parameter, Parameters } from "./parameter.ts";
import type { Space } from "./space.ts";

/**
 * Why no candidate of a space has a value at a path.
 *
 * @param path names of parameters and of options with parameters of their own, places in lists from 0
 * @returns a sentence with the name that was probably meant; undefined where there are candidates with such a value
 */
export function noValueAt(space: Space, path: readonly string[]): string | undefined {
  let names: Readonly<Record<string, Parameter | Parameters>> = space.kind === "cnn"
    ? cnnParameters(space)
    : space.parameters;
  for (const [index, name] of path.entries()) {
    const found = Object.hasOwn(names, name) ? names[name] : undefined;
    if (found === undefined) return unknownName(path, index, Object.keys(names));
    names = namesIn(found);
  }
  return undefined;
}

/** What may stand behind a dot. */
function namesIn(found: Parameter | Parameters): Readonly<Record<string, Parameter | Parameters>> {
  if (!isParameter(found)) return found;
  switch (found.type) {
    case "group":
      return found.of;
    case "optional":
      return namesIn(found.of);
    case "repeat":
      return Object.fromEntries(Array.from({ length: found.max }, (_, place) => [String(place), found.of]));
    case "choice":
      return Object.fromEntries(
        found.options.flatMap((option) => typeof option === "object" ? [[option.name, option.of]] : []),
      );
    case "integer":
    case "real":
      return {};
  }
}

/** Parameters by name may have one that is called `type`; that is a parameter, and no text. */
function isParameter(found: Parameter | Parameters): found is Parameter {
  return typeof found["type"] === "string";
}

/** How many names a sentence lists. */
const LISTED_MAX = 20;

function unknownName(path: readonly string[], index: number, known: readonly string[]): string {
  const name = path[index] ?? "";
  const before = path.slice(0, index).join(".");
  const where = before === "" ? "the space has" : `${before} has`;
  if (known.length === 0) return `{${path.join(".")}}: ${where} no values of its own`;
  const meant = closest(name, known);
  const advice = meant === undefined
    ? `known are ${known.slice(0, LISTED_MAX).join(", ")}${known.length > LISTED_MAX ? ", ..." : ""}`
    : `did you mean "${[...path.slice(0, index), meant, ...path.slice(index + 1)].join(".")}"?`;
  return `{${path.join(".")}}: ${where} no "${name}"; ${advice}`;
}

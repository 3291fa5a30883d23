/**
 * What the options of `simulate` say.
 *
 * @module
 */
import { isPlain, type PlainName } from "../../tests/simulation/plain.ts";

/** `1-2000` as seeds; undefined where it is no range, or one of no seed: a campaign of nothing would hold every promise. */
export function range(text: string): readonly string[] | undefined {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (match === null) return undefined;
  const from = Number(match[1]), to = Number(match[2]);
  if (to < from) return undefined;
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

/** `3,7,9` as numbers; `none` as no number. */
export function numbers(text: string | undefined): readonly number[] | undefined | "wrong" {
  if (text === undefined) return undefined;
  if (text === "none") return [];
  return /^\d+(,\d+)*$/.test(text) ? text.split(",").map(Number) : "wrong";
}

/** Names of ways to make a plan plainer. */
export function plainNames(text: string | undefined): readonly PlainName[] | undefined | "wrong" {
  const names = text?.split(",");
  if (names === undefined) return undefined;
  const known = names.filter(isPlain);
  return known.length === names.length ? known : "wrong";
}

/**
 * Arguments of verbs, read from text.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "commander";
import { formatDuration, parseDuration } from "../../shared/protocol/duration.ts";

/** The data folder where none is named. */
export const DATA_FOLDER_DEFAULT = "./espalier-data";

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text.trim()) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A span such as `1h 30m`, in milliseconds; a bare number counts seconds. */
export function span(text: string): number {
  const ms = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * 1_000 : parseDuration(text);
  if (ms === undefined) {
    throw new InvalidArgumentError('Expected a duration such as "30s", "1h 30m" or "500ms".');
  }
  return ms;
}

/** A span of at least a millisecond. */
export function positiveSpan(text: string): number {
  const ms = span(text);
  if (ms < 1) throw new InvalidArgumentError("Expected a duration longer than nothing.");
  return ms;
}

/** An option that takes a span. @param leastMs a shorter one is wrong usage */
export function spanOption(flags: string, description: string, defaultMs: number, leastMs = 0): Option {
  const parse = (text: string) => {
    const ms = span(text);
    if (ms < leastMs) throw new InvalidArgumentError(`Expected at least ${formatDuration(leastMs)}.`);
    return ms;
  };
  return new Option(flags, description).argParser(parse).default(defaultMs, formatDuration(defaultMs));
}

/** Addresses, separated by commas. */
export function addresses(text: string): readonly string[] {
  const list = text.split(",").map((each) => each.trim()).filter((each) => each !== "");
  if (list.length === 0) throw new InvalidArgumentError("Expected an address such as http://127.0.0.1:4400.");
  return list;
}

/** Gathers an option that may be given several times. */
export function gather(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...before ?? [], text];
}
